"""Random affine transforms of a batch of images, inside the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from mnist_bench.specs import Augmentation

__all__ = ["transform"]

_RADIANS = 3.141592653589793 / 180


def transform(images: Any, bounds: Augmentation, seed: Any) -> Any:
    """Rotate, zoom, shear and shift each image by its own amounts, uniform in ± `bounds`, about the image's centre.

    Args:
        images: float (batch, height, width, channels).
        bounds: how far each may go.
        seed: int32 (2,); the same seed gives the same amounts.

    Returns:
        Images of the same shape and type, interpolated bilinearly, black where nothing was.
    """
    batch, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    amounts = tf.random.stateless_uniform([5, batch], seed, -1.0, 1.0)
    angle = amounts[0] * bounds.rotation_degrees * _RADIANS
    zoom = 1.0 + amounts[1] * bounds.zoom_fraction
    shear = tf.tan(amounts[2] * bounds.shear_degrees * _RADIANS)
    shift_x, shift_y = amounts[3] * bounds.shift_fraction * width, amounts[4] * bounds.shift_fraction * height
    # Output pixel (x, y) is read at (a x + b y + c, d x + e y + f): rotation times shear, divided by the zoom.
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    a, b, d, e = cos, cos * shear - sin, sin, sin * shear + cos
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    c = centre_x - a * (centre_x + shift_x) - b * (centre_y + shift_y)
    f = centre_y - d * (centre_x + shift_x) - e * (centre_y + shift_y)
    zero = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),  # (batch, 8)
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
