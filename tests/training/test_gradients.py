"""Gradients that are computed another way than TensorFlow's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_bench.training.gradients import faster_gradients

LAYERS = {
    "convolution": lambda: keras.layers.Conv2D(10, 3, padding="same"),
    "channels first": lambda: keras.layers.Conv2D(8, 3, padding="same", data_format="channels_first"),
    "dense": lambda: keras.layers.Dense(7),
}


def loss(layer, pixels):
    """One that weighs each output otherwise, so that its gradients differ from place to place."""
    return tf.reduce_sum(tf.sin(tf.cast(layer(pixels), tf.float32)))


def graph_of(layer, pixels):
    """The gradients of a layer's weights as our compiled step takes them, traced."""

    @tf.function
    def ours():
        with faster_gradients(tf.compat.v1.get_default_graph()):
            total = loss(layer, pixels)
        return tf.gradients(total, [weight.value for weight in layer.trainable_variables])

    return ours.get_concrete_function()


@pytest.mark.parametrize("name", LAYERS)
def test_they_are_those_of_the_tape(name):
    """Filters, weights and biases have the gradients that TensorFlow's tape gives, to the precision of their sums."""
    layer = LAYERS[name]()
    pixels = tf.constant(np.random.default_rng(0).normal(size=(20, 8, 8, 8)), tf.float32)
    layer.build(pixels.shape)
    with tf.GradientTape() as tape:
        total = loss(layer, pixels)
    theirs = tape.gradient(total, [weight.value for weight in layer.trainable_variables])
    for our, their in zip(graph_of(layer, pixels)(), theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-4)


def test_a_convolutions_bias_is_not_left_to_the_kernel_that_is_slow():
    """Its gradient is no BiasAddGrad, which TensorFlow would join with the filter's."""
    layer = LAYERS["convolution"]()
    pixels = tf.zeros((2, 8, 8, 1))
    layer.build(pixels.shape)
    kinds = {operation.type for operation in graph_of(layer, pixels).graph.get_operations()}
    assert "Conv2DBackpropFilter" in kinds
    assert "BiasAddGrad" not in kinds


def test_in_bfloat16_a_bias_is_summed_in_single_precision():
    """A thousand terms, which bfloat16 can't count, come to what they come to in float32."""
    pixels = tf.constant(np.random.default_rng(0).normal(size=(20, 8, 8, 8)), tf.float32)
    layers = [keras.layers.Conv2D(10, 3, dtype=precision) for precision in ("float32", "mixed_bfloat16")]
    for layer in layers:
        layer.build(pixels.shape)
        layer.set_weights(layers[0].get_weights())
    exact, rounded = (graph_of(layer, pixels)()[1] for layer in layers)
    np.testing.assert_allclose(rounded, exact, rtol=0.02)
