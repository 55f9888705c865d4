"""The registry: what an author never opens.

An architecture is a function `f(images, classes, *, option=default, …) -> logits`. Its keyword arguments are its
options; their annotations say what they may be. `@architecture(search={…})` says where `mnist-bench tune` looks for
better ones than the defaults, in the words of a space file's `[options]` (`mnist_bench/tuning/space.py`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from pydantic import create_model

from mnist_bench.architectures import layers
from mnist_bench.errors import ArchitectureError, nearest
from mnist_bench.values import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Activation", "Architecture", "architecture", "build", "get", "logits", "names", "resolve_options"]

_Function = Callable[..., Any]

Activation = Literal["relu", "elu", "gelu", "selu", "sigmoid", "silu", "softplus", "tanh"]


@dataclass(frozen=True)
class Architecture:
    """A registered function, its options, and the file that decides what it builds."""

    name: str
    function: Callable[..., Any]
    options: type[Frozen]
    search: Mapping[str, Any] = field(default_factory=dict)  # options by name; the others keep their defaults

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def source(self) -> Path:
        """Its family's file, which is part of the run key."""
        return Path(inspect.getfile(self.function))


_registry: dict[str, Architecture] = {}


@overload
def architecture(function: _Function) -> _Function: ...
@overload
def architecture(*, search: Mapping[str, Any]) -> Callable[[_Function], _Function]: ...
def architecture(function: _Function | None = None, *, search: Mapping[str, Any] | None = None) -> Any:
    """Register a function under its own name, with its search space if it has one.

    Raises:
        ValueError: the name is taken.
    """
    if function is not None:
        return _register(function, {})
    return lambda decorated: _register(decorated, search or {})


def _register(function: _Function, search: Mapping[str, Any]) -> _Function:
    name = function.__name__
    if name in _registry:
        raise ValueError(f"two architectures are named {name!r}: {_registry[name].source} and {function.__code__}")
    keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    fields: dict[str, Any] = {p.name: (p.annotation, p.default) for p in keywords}
    _registry[name] = Architecture(name, function, create_model(name, __base__=Frozen, **fields), search)
    return function


def logits(x: Any, classes: int) -> Any:
    """The last layer: logits (batch, classes), in float32 whatever the precision, so that near-equal ones don't tie."""
    return layers.Dense(classes, dtype="float32")(x)


def names() -> list[str]:
    """The names of all architectures, sorted."""
    return sorted(_registry)


def get(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        ArchitectureError: there is none.
    """
    if name not in _registry:
        raise ArchitectureError(f"unknown architecture {name!r}; {nearest(name, _registry)}")
    return _registry[name]


def resolve_options(name: str, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All options of an architecture, defaults filled in, as plain JSON values. `where` begins an error's line.

    Raises:
        ArchitectureError: no such architecture or option, or a value that the option can't take.
    """
    return get(name).options.parse(given, where=where, error=ArchitectureError).model_dump(mode="json")


def build(name: str, options: Mapping[str, Any], image_shape: tuple[int, int, int], classes: int) -> Any:
    """A `keras.Model` from images (batch, *image_shape) to logits (batch, classes).

    Raises:
        ArchitectureError: these options make no model for such images (they shrink to nothing, say).
    """
    import keras  # noqa: PLC0415 - all else here works without TensorFlow

    images = keras.Input(image_shape, name="images")
    try:
        outputs = get(name).function(images, classes, **options)
    except ValueError as error:
        reason = str(error).strip().partition("\n")[0]
        size = "×".join(map(str, image_shape[:2]))
        raise ArchitectureError(f"{name} can't be built for {size} images with {dict(options)}: {reason}") from error
    return keras.Model(images, outputs, name=name)
