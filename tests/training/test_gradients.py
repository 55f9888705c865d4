"""Gradients that are computed another way than TensorFlow's own."""

from __future__ import annotations

import keras
import made_up
import numpy as np
import pytest
import tensorflow as tf

from mnist_bench.training.compiled import compiled_for
from mnist_bench.training.gradients import faster_gradients

CASES = {
    "convolution": (lambda: keras.layers.Conv2D(10, 3, padding="same"), (20, 8, 8, 3)),
    "channels first": (lambda: keras.layers.Conv2D(10, 3, padding="same", data_format="channels_first"), (20, 3, 8, 8)),
    "dense": (lambda: keras.layers.Dense(7), (20, 30)),
}


def loss(layer, inputs):
    """One that weighs each output otherwise, so that its gradients differ from place to place."""
    return tf.reduce_sum(tf.sin(tf.cast(layer(inputs), tf.float32)))


@pytest.mark.parametrize("name", CASES)
def test_they_are_those_of_the_tape(name):
    """Filters, weights and biases have the gradients that TensorFlow's tape gives, to the precision of their sums."""
    make, shape = CASES[name]
    layer, inputs = make(), tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)
    layer.build(shape)
    weights = [weight.value for weight in layer.trainable_variables]

    @tf.function
    def ours():
        with faster_gradients(tf.compat.v1.get_default_graph()):
            total = loss(layer, inputs)
        return tf.gradients(total, weights)

    with tf.GradientTape() as tape:
        total = loss(layer, inputs)
    for our, their in zip(ours(), tape.gradient(total, weights), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("precision", "left"), [("float32", 2), ("bfloat16", 3)])
def test_the_bias_of_a_convolution_is_not_left_to_the_kernel_that_is_slow(dataset, precision, left):
    """In the compiled step the two dense layers alone have a BiasAddGrad; in bfloat16 the convolution has one too."""
    network = {"architecture": "convnet", "options": {"filters": [4], "widths": [8]}}
    spec = made_up.run_spec(dataset, **network, precision=precision)
    step = compiled_for(spec, dataset.image_shape, dataset.classes)._epoch.get_concrete_function().graph.as_graph_def()
    kinds = [node.op for function in step.library.function for node in function.node_def]
    assert kinds.count("Conv2DBackpropFilter") == 1
    assert kinds.count("BiasAddGrad") == left
