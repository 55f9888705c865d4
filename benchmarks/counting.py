"""What a training step has to compute and to move, counted layer by layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

# Of an optimizer, for each weight: operations, and numbers read and written (weight, gradient, moments).
_OPTIMIZERS = {"adam": (11, 7), "adamw": (13, 7), "sgd": (4, 5)}


@dataclass(frozen=True)
class Pass:
    """One pass through a layer."""

    flops: int  # a multiplication and an addition are two
    traffic: int  # bytes: each array that it needs read once, each that it makes written once
    product: bool  # whether it is a convolution or a matrix product


@dataclass(frozen=True)
class Layer:
    """A layer's passes in one step: `forward`, `input gradient`, `weight gradient`, as far as it has them."""

    name: str  # Keras'
    label: str  # its kind, and the shape of what goes out for each image
    dtype: str  # that it computes in
    passes: dict[str, Pass]

    @property
    def flops(self) -> int:
        """Of all passes."""
        return sum(each.flops for each in self.passes.values())

    @property
    def traffic(self) -> int:
        """Bytes of all passes."""
        return sum(each.traffic for each in self.passes.values())


def count(model: Any, batch: int, optimizer: str) -> list[Layer]:
    """The layers of a Keras model in a training step on so many images, and the optimizer as the last.

    The padding of a convolution is counted with it. Layers without products are counted with one operation for each
    number that comes in, each way: they are bound by what they move. Nothing is propagated to the images.
    """
    layers, trained = [], False  # whether a layer before this one has weights, and so wants a gradient
    for layer in model.layers[1:]:
        kind = type(layer).__name__
        product = kind in {"Conv2D", "Dense"}
        passes = _products(layer, batch, inner=trained) if product else _others(layer, batch, inner=trained)
        if kind != "Flatten":  # moves nothing
            shape = "x".join(map(str, layer.output.shape[1:]))
            layers.append(Layer(layer.name, f"{kind} {shape}", layer.compute_dtype, passes))
        trained = trained or bool(layer.trainable_weights)
    operations, numbers = _OPTIMIZERS[optimizer]
    weights = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    update = Pass(operations * weights, 4 * numbers * weights, product=False)
    return [*layers, Layer("optimizer", optimizer, "float32", {"forward": update})]


def _products(layer: Any, batch: int, *, inner: bool) -> dict[str, Pass]:
    """A convolution's or a dense layer's."""
    came, went, size = _numbers(layer, batch)
    kernel = math.prod(layer.kernel.shape)
    places = went // layer.kernel.shape[-1]  # where the kernel is applied
    flops, traffic = 2 * places * kernel, size * (came + went + kernel)
    names = ("forward", "input gradient", "weight gradient") if inner else ("forward", "weight gradient")
    return dict.fromkeys(names, Pass(flops, traffic, product=True))


def _others(layer: Any, batch: int, *, inner: bool) -> dict[str, Pass]:
    """Any other layer's, whose gradient reads its input or output too."""
    came, went, size = _numbers(layer, batch)
    passes = {"forward": Pass(came, size * (came + went), product=False)}
    if inner:
        passes["input gradient"] = Pass(came, size * (2 * came + went), product=False)
    return passes


def _numbers(layer: Any, batch: int) -> tuple[int, int, int]:
    """How many numbers come into a layer and go out of it, and the bytes of one."""
    came, went = (batch * math.prod(shape.shape[1:]) for shape in (layer.input, layer.output))
    return came, went, 2 if layer.compute_dtype == "bfloat16" else 4
