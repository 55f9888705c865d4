"""Precision, on real digits: what is called equal must be."""

from __future__ import annotations

import made_up
import numpy as np
import pytest

from mnist_bench import data
from mnist_bench.analysis.statistics import mean_interval
from mnist_bench.training.trainer import train

pytestmark = pytest.mark.slow


# A dense network; and convolutions with pooling and BatchNorm, as the last step of `speedrun` has them.
NETWORKS = {
    "mlp": {"widths": [64]},
    "convnet": {
        "filters": [8, 16],
        "widths": [32],
        "batch_norm": True,
        "batch_norm_momentum": 0.9,
        "pool_first": True,
    },
}


def accuracy(digits, architecture, precision, seed):
    network = {"architecture": architecture, "options": NETWORKS[architecture]}
    spec = made_up.run_spec(digits, **network, epochs=5, precision=precision, seed=seed)
    return 100 * train(spec, digits, on_epoch=lambda _: None).metrics["test_accuracy"]


@pytest.mark.parametrize("network", NETWORKS)
def test_bfloat16_is_as_accurate_as_float32(network):
    """Two one-sided tests at 5% on pairs of one seed: bfloat16 is within 1 point of float32 on 1,000 test digits."""
    digits = data.load("mnist-5k")
    pairs = [[accuracy(digits, network, each, seed) for each in ("bfloat16", "float32")] for seed in range(8)]
    effects = [half - single for half, single in pairs]
    interval = mean_interval(effects, confidence=0.90)
    assert interval.low > -1
    assert interval.high < 1
    assert np.any(np.array(effects) != 0)  # they are two different ways of computing, after all
