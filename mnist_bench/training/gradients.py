"""Gradients for which TensorFlow's own way takes too long on a processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["faster_gradients"]

_BIAS = "MnistBenchBiasAdd"


def faster_gradients(graph: Any) -> AbstractContextManager[None]:
    """Operations that are added to `graph` within the block have these gradients, to whoever calls `tf.gradients`.

    The same sums in another order. (`tf.GradientTape` takes TensorFlow's own all the same.)
    """
    override: AbstractContextManager[None] = graph.gradient_override_map({"BiasAdd": _BIAS})
    return override


@tf.RegisterGradient(_BIAS)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _bias_gradient(operation: Any, gradient: Any) -> tuple[Any, Any]:
    """The gradients of what a bias is added to, and of the bias.

    TensorFlow joins its own, `BiasAddGrad`, with the gradient of a convolution's filter into one kernel of oneDNN's,
    which may take more than twice the filter's time. Summed over the images first, rows of a picture fill the vectors.
    In bfloat16 nothing is gained.
    """
    layout = operation.get_attr("data_format")
    if gradient.shape.rank == 4 and layout == b"NHWC" and gradient.dtype == tf.float32:  # noqa: PLR2004 - pictures
        return gradient, tf.reduce_sum(tf.reduce_sum(gradient, axis=0), axis=(0, 1))
    return gradient, tf.raw_ops.BiasAddGrad(out_backprop=gradient, data_format=layout)
