"""Named random streams: all that is random in a run is drawn from one of them, so that variants share what they can.

A weight's stream is named after its layer's kind and place among those of its kind (`Dense 0 kernel`), not after
Keras' running numbers. So the baseline and an ablation of it start from the same weights wherever both have them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reseed", "shuffled", "stream_seed"]


def stream_seed(seed: int, *name: str | int) -> int:
    """The seed, in [0, 2³¹), of the stream called `name` in the run seeded with `seed`."""
    digest = hashlib.sha256("/".join(map(str, (seed, *name))).encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def shuffled(indices: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The order of the training images in one epoch: int32 (n,), another permutation for each epoch."""
    generator = np.random.default_rng(stream_seed(seed, "order", epoch))
    return generator.permutation(indices).astype(np.int32)


def reseed(model: Any, optimizer: Any, seed: int) -> None:
    """Make `model` and `optimizer` what they would be had they just been built for the run seeded with `seed`.

    Raises:
        TypeError: a layer holds a variable that no initializer of its own accounts for.
    """
    for name, layer in _named_layers(model):
        for variable in layer.weights:
            _initialize(layer, variable, stream_seed(seed, "weights", name, variable.name))
        generator = getattr(layer, "seed_generator", None)  # dropout has one
        if generator is not None:
            generator.state.assign([stream_seed(seed, "noise", name), 0])
    for variable in optimizer.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))


def _named_layers(model: Any) -> Iterator[tuple[str, Any]]:
    seen: Counter[str] = Counter()
    for layer in model.layers:
        kind = type(layer).__name__
        yield f"{kind} {seen[kind]}", layer
        seen[kind] += 1


def _initialize(layer: Any, variable: Any, seed: int) -> None:
    initializer = getattr(layer, f"{variable.name}_initializer", None)  # Keras' own convention: kernel_initializer, …
    if initializer is None:
        raise TypeError(f"can't re-seed {layer.name}: no initializer for its variable {variable.name!r}")
    config = initializer.get_config()
    if "seed" in config:
        initializer = type(initializer).from_config(config | {"seed": seed})
    variable.assign(initializer(variable.shape, dtype=variable.dtype))
