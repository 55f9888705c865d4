"""The registry: what an author never opens.

An architecture is a function `f(images, classes, *, option=default, …) -> logits`. Its keyword arguments are its
options; their annotations say what they may be.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import create_model

from mnist_bench.architectures import layers
from mnist_bench.errors import ArchitectureError, nearest
from mnist_bench.values import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Activation", "Architecture", "architecture", "build", "get", "logits", "names", "resolve_options"]

Activation = Literal["relu", "elu", "gelu", "selu", "sigmoid", "silu", "softplus", "tanh"]


@dataclass(frozen=True)
class Architecture:
    """A registered function, its options, and the file that decides what it builds."""

    name: str
    function: Callable[..., Any]
    options: type[Frozen]

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def source(self) -> Path:
        """Its family's file, which is part of the run key."""
        return Path(inspect.getfile(self.function))


_registry: dict[str, Architecture] = {}


def architecture(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register `function` under its own name.

    Raises:
        ValueError: the name is taken.
    """
    name = function.__name__
    if name in _registry:
        raise ValueError(f"two architectures are named {name!r}: {_registry[name].source} and {function.__code__}")
    keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    fields: dict[str, Any] = {p.name: (p.annotation, p.default) for p in keywords}
    _registry[name] = Architecture(name, function, create_model(name, __base__=Frozen, **fields))
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
