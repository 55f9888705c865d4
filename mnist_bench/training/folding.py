"""Convolutions of few filters, on a minibatch folded in two.

Where filters are few, oneDNN's kernel for convolutions in groups is up to twice as fast as the one that it has for the
others. So the two halves of a minibatch are laid side by side, as channels: each is a group, with the same filters.
And max-pooling goes before the activation, which then has a quarter of the work.
"""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, get_args

import keras
import tensorflow as tf

from mnist_bench.architectures import Activation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["folded"]

_ELEMENTWISE = {keras.activations.get(name) for name in (*get_args(Activation), "linear")}
# The greatest of what these give is what they give of the greatest.
_RISING = {keras.activations.get(name) for name in ("elu", "relu", "selu", "sigmoid", "softplus", "tanh", "linear")}
_MOST_FILTERS = 16
_SLOW_FILTERS = 12  # in groups, three blocks of 4 channels for each place: more than twice as slow


def folded(model: Any) -> Callable[..., Any]:
    """What computes `model(images, training=…)`, but for rounding: the model itself where folding is not faster.

    On a processor the layers before the first `Flatten` are computed folded, where they are convolutions in float32 of
    at most 16 filters (and not 12), activations and pooling, one after another.
    """
    unfolded: Callable[..., Any] = model
    front = list(takewhile(lambda layer: not isinstance(layer, keras.layers.Flatten), model.layers[1:]))
    chained = all(after.input is before.output for before, after in pairwise(model.layers))
    if tf.config.get_visible_devices("GPU") or not (front and chained and all(map(_gains, front))):
        return unfolded
    back = keras.Model(front[-1].output, model.output, name=model.name)

    def compute(images: Any, *, training: bool) -> Any:
        with tf.name_scope(model.name):
            x = _fold(images)
            for layer in _pooled_first(front):
                x = _convolved(layer, x) if isinstance(layer, keras.layers.Conv2D) else layer(x)
            x = _unfold(x)[: tf.shape(images)[0]]
        return back(x, training=training)

    return compute


def _gains(layer: Any) -> bool:
    """Whether a layer is faster on a folded minibatch, or no slower, and does the same there."""
    kind = type(layer)
    if kind in {keras.layers.MaxPooling2D, keras.layers.AveragePooling2D}:
        return bool(layer.data_format == "channels_last")
    if kind is keras.layers.Activation:
        return layer.activation in _ELEMENTWISE
    if kind is not keras.layers.Conv2D or layer.compute_dtype != "float32":
        return False
    plain = layer.groups == 1 and layer.data_format == "channels_last" and layer.activity_regularizer is None
    few = layer.filters <= _MOST_FILTERS and layer.filters != _SLOW_FILTERS
    return plain and few and layer.activation in _ELEMENTWISE


def _pooled_first(layers: Sequence[Any]) -> list[Any]:
    """A chain of layers that computes the same, with max-pooling before an activation that it follows."""
    ordered = list(layers)
    for place, (before, after) in enumerate(pairwise(layers)):
        rising = isinstance(before, keras.layers.Activation) and before.activation in _RISING
        if rising and isinstance(after, keras.layers.MaxPooling2D):
            ordered[place : place + 2] = after, before
    return ordered


def _fold(images: Any) -> Any:
    """(batch, height, width, channels) as (half, height, width, 2 x channels). An odd batch gets a blank image."""
    height, width, channels = images.shape[1:]
    even = tf.pad(images, ((0, tf.shape(images)[0] % 2), (0, 0), (0, 0), (0, 0)))
    halves = tf.transpose(tf.reshape(even, (2, -1, height, width, channels)), (1, 2, 3, 0, 4))
    return tf.reshape(halves, (-1, height, width, 2 * channels))


def _unfold(x: Any) -> Any:
    """(half, height, width, 2 x channels) as (batch, height, width, channels), a blank image included."""
    height, width, channels = x.shape[1], x.shape[2], x.shape[3] // 2
    halves = tf.transpose(tf.reshape(x, (-1, height, width, 2, channels)), (3, 0, 1, 2, 4))
    return tf.reshape(halves, (-1, height, width, channels))


def _convolved(layer: Any, x: Any) -> Any:
    """A convolution of both halves (half, height, width, 2 x channels). Keras' own would be compiled by XLA."""
    with tf.name_scope(layer.name):
        x = tf.nn.conv2d(
            x, tf.tile(layer.kernel, (1, 1, 1, 2)), layer.strides, layer.padding.upper(), dilations=layer.dilation_rate
        )
        x = tf.nn.bias_add(x, tf.tile(layer.bias, (2,))) if layer.use_bias else x
        return layer.activation(x)
