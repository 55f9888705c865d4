"""Networks of dense layers alone."""
# No `from __future__ import annotations`: the registry reads the options' annotations as they stand.

from typing import TYPE_CHECKING

from mnist_bench.architectures import layers
from mnist_bench.architectures.registry import Activation, architecture, logits
from mnist_bench.values import Count

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = ["logistic_regression", "mlp"]


@architecture
def logistic_regression(images: "KerasTensor", classes: int) -> "KerasTensor":
    """One dense layer on the pixels: multinomial logistic regression."""
    return logits(layers.Flatten()(images), classes)


@architecture(search={"widths": {"layers": {"low": 1, "high": 4}, "width": {"low": 16, "high": 512, "log": True}}})
def mlp(
    images: "KerasTensor",
    classes: int,
    *,
    widths: tuple[Count, ...] = (256, 128, 64, 32),
    activation: Activation = "relu",
) -> "KerasTensor":
    """Hidden dense layers of `widths` units, one after another."""
    x = layers.Flatten()(images)  # (batch, pixels)
    for width in widths:
        x = layers.Dense(width)(x)  # (batch, width)
        x = layers.Activation(activation)(x)
    return logits(x, classes)
