"""Random affine transforms of a batch of images, inside the graph."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from mnist_bench.specs import Augmentation

__all__ = ["bounds_of", "transform"]


def bounds_of(augment: Augmentation) -> np.ndarray:
    """How far images go: float32 (5,) of angle and shear in radians, zoom, and shifts as shares of width and height."""
    radians = np.radians([augment.rotation_degrees, augment.shear_degrees])
    return np.array([*radians, augment.zoom_fraction, augment.shift_fraction, augment.shift_fraction], np.float32)


def transform(images: Any, bounds: Any, seed: Any) -> Any:
    """Rotate, zoom, shear and shift each image by its own amounts, uniform in ± `bounds`, about the image's centre.

    Args:
        images: float (batch, height, width, channels).
        bounds: see `bounds_of`.
        seed: int32 (2,); the same seed gives the same amounts.

    Returns:
        Images of the same shape and type, interpolated bilinearly, black where nothing was.
    """
    batch, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    amounts = tf.random.stateless_uniform([5, batch], seed, -1.0, 1.0) * bounds[:, tf.newaxis]
    angle, shear, zoom, shift_x, shift_y = tf.unstack(amounts)
    cos, sin, shear = tf.cos(angle) / (1 + zoom), tf.sin(angle) / (1 + zoom), tf.tan(shear)
    # Output pixel (x, y) is read at (a x + b y + c, d x + e y + f): rotation times shear, divided by the zoom.
    a, b, d, e = cos, cos * shear - sin, sin, sin * shear + cos
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    to_x, to_y = centre_x + shift_x * width, centre_y + shift_y * height
    c, f = centre_x - a * to_x - b * to_y, centre_y - d * to_x - e * to_y
    return _read_at(images, tf.stack([a, b, c, d, e, f]))


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _read_at(images: Any, affine: Any) -> Any:
    """Images (batch, height, width, channels), each pixel read where `affine` (6, batch) says, between the four there.

    As `tf.raw_ops.ImageProjectiveTransformV3` has it, with 0 around the image, in a third of its time: XLA makes all
    this one loop over the pixels.
    """
    height, width = images.shape[1], images.shape[2]
    a, b, c, d, e, f = tf.unstack(affine[..., tf.newaxis, tf.newaxis])  # each (batch, 1, 1)
    across, down = tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32)[:, tf.newaxis]
    x, y = a * across + b * down + c, d * across + e * down + f  # (batch, height, width)
    pixels = tf.reshape(images, (-1, height * width, images.shape[3]))
    read = tf.zeros_like(images)
    for column, row in itertools.product((tf.floor(x), tf.floor(x) + 1), (tf.floor(y), tf.floor(y) + 1)):
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        weight = tf.where(inside, (1 - tf.abs(x - column)) * (1 - tf.abs(y - row)), 0)
        place = tf.where(inside, tf.cast(row * width + column, tf.int32), 0)
        read += weight[..., tf.newaxis] * tf.gather(pixels, place, batch_dims=1)
    return read
