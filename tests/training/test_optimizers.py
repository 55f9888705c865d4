"""Optimizers by the recipe's names."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_bench.specs import Recipe
from mnist_bench.training.optimizers import make_optimizer

KERAS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
}


def fifty_steps(optimizer):
    """Where weights of two shapes end, all in one row, after fifty steps of changing rates."""
    generator = np.random.default_rng(0)
    weights = [keras.Variable(generator.normal(size=shape)) for shape in ((4, 3), (3,))]
    optimizer.build(weights)

    @tf.function
    def step(gradients, rate):
        optimizer.learning_rate.assign(rate)
        optimizer.apply(gradients, weights)

    for place in range(50):
        gradients = [tf.constant(generator.normal(size=weight.shape), weight.dtype) for weight in weights]
        step(gradients, tf.constant(0.01 * (1 + place % 3)))
    return np.concatenate([np.ravel(weight.numpy()) for weight in weights])


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_each_weight_is_updated_by_one_kernel(name):
    """Keras' own dozen operations a weight would come to the same, more slowly."""
    weights = [keras.Variable(np.ones(shape)) for shape in ((4, 3), (3,))]
    optimizer = make_optimizer(Recipe(optimizer=name))
    optimizer.build(weights)
    step = tf.function(lambda: optimizer.apply([tf.ones_like(weight.value) for weight in weights], weights))
    kinds = [operation.type for operation in step.get_concrete_function().graph.get_operations()]
    assert kinds.count("ResourceApplyAdam") == len(weights)


@pytest.mark.parametrize("name", KERAS)
def test_it_is_keras_own(name):
    """Each weight ends where Keras' optimizer takes it, to single precision."""
    ours = make_optimizer(Recipe(optimizer=name, learning_rate=0.01, weight_decay=0.1))
    np.testing.assert_allclose(fifty_steps(ours), fifty_steps(KERAS[name]()), rtol=2e-5, atol=2e-6)
