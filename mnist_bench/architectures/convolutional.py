"""Convolutional networks: published ones, and `convnet`, the general one.

Where normalization is on, it stands between a layer and its activation.
"""
# No `from __future__ import annotations`: the registry reads the options' annotations as they stand.

from typing import TYPE_CHECKING, Literal

from mnist_bench.architectures import layers
from mnist_bench.architectures.registry import Activation, architecture, logits
from mnist_bench.values import Count, Flag, Fraction

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = ["batchnorm_cnn", "convnet", "deep_cnn", "lenet5", "strided_cnn", "three_conv_cnn"]

Pooling = Literal["max", "average"]
PoolingOrNone = Literal["max", "average", "none"]
Padding = Literal["same", "valid"]
_MOMENTUM = 0.99  # of BatchNorm's moving averages, as Keras has it


def _activated(
    x: "KerasTensor", activation: Activation, *, batch_norm: bool, momentum: float = _MOMENTUM
) -> "KerasTensor":
    if batch_norm:
        x = layers.BatchNormalization(momentum=momentum)(x)
    return layers.Activation(activation)(x)


def _conv(  # noqa: PLR0913 - one keyword a property of the layer
    x: "KerasTensor",
    filters: int,
    kernel: int,
    *,
    padding: Padding = "valid",
    stride: int = 1,
    activation: Activation = "relu",
    batch_norm: bool = False,
) -> "KerasTensor":
    x = layers.Conv2D(filters, kernel, strides=stride, padding=padding)(x)  # (batch, height, width, filters)
    return _activated(x, activation, batch_norm=batch_norm)


def _pool(x: "KerasTensor", pooling: PoolingOrNone = "max") -> "KerasTensor":
    if pooling == "none":
        return x
    layer = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
    return layer(2)(x)  # (batch, height // 2, width // 2, filters)


def _dense(
    x: "KerasTensor",
    width: int,
    *,
    activation: Activation = "relu",
    batch_norm: bool = False,
    momentum: float = _MOMENTUM,
) -> "KerasTensor":
    x = layers.Dense(width)(x)  # (batch, width)
    return _activated(x, activation, batch_norm=batch_norm, momentum=momentum)


@architecture(
    search={
        "filters": {"layers": {"low": 1, "high": 4}, "width": {"low": 8, "high": 64, "log": True}},
        "widths": {"layers": {"low": 0, "high": 2}, "width": {"low": 32, "high": 256, "log": True}},
        "kernel": [3, 5],
        "pooling": ["max", "average"],
        "batch_norm": [True, False],
        "dropout": {"low": 0.0, "high": 0.5},
    }
)
def convnet(  # noqa: PLR0913 - one keyword an option
    images: "KerasTensor",
    classes: int,
    *,
    filters: tuple[Count, ...] = (32, 64),
    kernel: Count = 3,
    padding: Padding = "same",
    pooling: PoolingOrNone = "max",
    pool_first: Flag = False,
    widths: tuple[Count, ...] = (128,),
    batch_norm: Flag = False,
    batch_norm_momentum: Fraction = _MOMENTUM,
    dropout: Fraction = 0.2,
    activation: Activation = "relu",
) -> "KerasTensor":
    """`filters` convolutions, each with pooling; then dense layers of `widths`, each with dropout after it.

    `pool_first`: before normalization and activation, which then have a quarter of the work. Of ReLU and max-pooling
    alone either order gives the same. `batch_norm_momentum`: of its moving averages, which lag behind at first.
    """
    x = images
    for count in filters:
        x = layers.Conv2D(count, kernel, padding=padding)(x)  # (batch, height, width, count)
        x = _pool(x, pooling) if pool_first else x
        x = _activated(x, activation, batch_norm=batch_norm, momentum=batch_norm_momentum)
        x = x if pool_first else _pool(x, pooling)
    x = layers.Flatten()(x)
    for width in widths:
        x = _dense(x, width, activation=activation, batch_norm=batch_norm, momentum=batch_norm_momentum)
        x = layers.Dropout(dropout)(x)
    return logits(x, classes)


@architecture
def batchnorm_cnn(  # noqa: PLR0913 - one keyword an option
    images: "KerasTensor",
    classes: int,
    *,
    batch_norm: Flag = True,
    pooling: Pooling = "max",
    dropout: Fraction = 0.2,
    activation: Activation = "relu",
) -> "KerasTensor":
    """Two 3x3 convolutions of 10 filters with pooling; three dense layers of 100 with BatchNorm; dropout."""
    x = images
    for _ in range(2):
        x = _pool(_conv(x, 10, 3, padding="same", activation=activation), pooling)
    x = layers.Flatten()(x)  # (batch, 490) from 28x28 images
    for _ in range(3):
        x = _dense(x, 100, activation=activation, batch_norm=batch_norm)
    x = layers.Dropout(dropout)(x)
    return logits(x, classes)


@architecture
def three_conv_cnn(images: "KerasTensor", classes: int, *, dropout: Fraction = 0.2) -> "KerasTensor":
    """4x4 convolutions of 32, 64 and 64 filters, two max-poolings between them; dropout; 64 sigmoid units."""
    x = _pool(_conv(images, 32, 4))
    x = _pool(_conv(x, 64, 4))
    x = layers.Flatten()(_conv(x, 64, 4))  # (batch, 64) from 28x28 images
    x = layers.Dropout(dropout)(x)
    x = _dense(x, 64, activation="sigmoid")
    return logits(x, classes)


@architecture
def strided_cnn(images: "KerasTensor", classes: int) -> "KerasTensor":
    """One 5x5 convolution of 64 filters and stride 2, then 128 dense units, both with BatchNorm; no pooling."""
    x = _conv(images, 64, 5, stride=2, batch_norm=True)  # (batch, 12, 12, 64) from 28x28 images
    x = _dense(layers.Flatten()(x), 128, batch_norm=True)
    return logits(x, classes)


@architecture
def deep_cnn(images: "KerasTensor", classes: int, *, dropout: Fraction = 0.5) -> "KerasTensor":
    """3x3 convolutions of 64, 64, 128 and 256 filters, pooling after each two; dense 512 and 256 with dropout."""
    x = _conv(images, 64, 3, padding="same")
    x = _pool(_conv(x, 64, 3, padding="same"))
    x = _conv(x, 128, 3, padding="same")
    x = _pool(_conv(x, 256, 3, padding="valid"))  # (batch, 6, 6, 256) from 28x28 images
    x = layers.Flatten()(x)
    for width in (512, 256):
        x = layers.Dropout(dropout)(_dense(x, width))
    return logits(x, classes)


@architecture
def lenet5(
    images: "KerasTensor", classes: int, *, pooling: Pooling = "average", activation: Activation = "tanh"
) -> "KerasTensor":
    """LeNet-5 (LeCun et al., 1998) as it is taught today: 5x5 convolutions of 6 and 16, dense 120 and 84."""
    x = _pool(_conv(images, 6, 5, padding="same", activation=activation), pooling)
    x = _pool(_conv(x, 16, 5, activation=activation), pooling)  # (batch, 5, 5, 16) from 28x28 images
    x = layers.Flatten()(x)
    for width in (120, 84):
        x = _dense(x, width, activation=activation)
    return logits(x, classes)
