"""Named random streams: what two runs share, and what they don't."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mnist_bench import architectures
from mnist_bench.training.streams import reseed, shuffled, stream_seed


def reseeded(name, options, seed):
    resolved = architectures.resolve_options(name, options, "test")
    model = architectures.build(name, resolved, (28, 28, 1), 10)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    reseed(model, optimizer, seed)
    return model


def layer_weights(model, kind):
    return [layer.get_weights() for layer in model.layers if type(layer).__name__ == kind]


def test_each_epoch_has_its_own_order():
    """Every epoch is reshuffled, from the seed and the epoch's number, and serves each image once."""
    indices = np.arange(100, 150)
    first, second = shuffled(indices, 0, 1), shuffled(indices, 0, 2)
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first), indices)
    assert np.array_equal(first, shuffled(indices, 0, 1))
    assert not np.array_equal(first, shuffled(indices, 1, 1))


def test_streams_differ_by_seed_and_name():
    """No two streams of a few runs coincide."""
    seeds = {stream_seed(seed, name, i) for seed in range(20) for name in ("order", "weights") for i in range(20)}
    assert len(seeds) == 800
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("name", architectures.names())
def test_a_reseeded_model_does_not_remember(name):
    """Every variable of every architecture is drawn anew from the seed, and from nothing else."""
    model = reseeded(name, {}, 1)
    fresh = model.get_weights()
    model.set_weights([weights + 1 for weights in fresh])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    reseed(model, optimizer, 1)
    for one, other in zip(model.get_weights(), fresh, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_other_weights():
    """Seeds are replicates: their initial weights differ."""
    one, other = (reseeded("mlp", {}, seed).get_weights()[0] for seed in (1, 2))
    assert not np.allclose(one, other)


def test_an_ablation_starts_from_the_same_weights():
    """Without BatchNorm, convolutions and dense layers begin exactly as the baseline's do."""
    baseline, ablation = (reseeded("batchnorm_cnn", {"batch_norm": flag}, 3) for flag in (True, False))
    for kind in ("Conv2D", "Dense"):
        for one, other in zip(layer_weights(baseline, kind), layer_weights(ablation, kind), strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_array_equal(a, b)


def test_initial_weights_are_as_keras_draws_them():
    """Re-seeding keeps each layer's own initializer: Glorot's bounds for a dense kernel, zeros for its bias."""
    kernel, bias = reseeded("logistic_regression", {}, 0).get_weights()
    bound = np.sqrt(6 / (784 + 10))
    assert bound * 0.95 < np.abs(kernel).max() <= bound
    assert not bias.any()


def test_a_variable_of_unknown_origin_is_refused():
    """A layer that can't be re-seeded would make a used worker's runs differ in silence."""

    class Odd(keras.layers.Layer):
        def build(self, _):
            self.add_weight(name="odd")

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((3,)), Odd()])
    optimizer = keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    with pytest.raises(TypeError, match="no initializer for its variable 'odd'"):
        reseed(model, optimizer, 0)
