"""Learning-rate schedules."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_bench.specs import Recipe
from mnist_bench.training.schedules import learning_rates


def test_constant():
    """Every step has the recipe's rate."""
    assert learning_rates(Recipe(learning_rate=0.5), 4).tolist() == [0.5] * 4


def test_cosine_falls_from_the_peak_to_nothing():
    """Half the way is half the rate."""
    rates = learning_rates(Recipe(learning_rate=0.5, schedule="cosine"), 101)
    np.testing.assert_allclose(rates[[0, 50, 100]], [0.5, 0.25, 0], atol=1e-8)
    assert (np.diff(rates) < 0).all()


def test_one_cycle_rises_and_falls():
    """From a 25th of the peak to the peak at 30% of the steps, then down to almost nothing."""
    rates = learning_rates(Recipe(learning_rate=0.5, schedule="one_cycle"), 101)
    np.testing.assert_allclose(rates[[0, 30, 100]], [0.02, 0.5, 5e-6], rtol=1e-5)
    assert (np.diff(rates[:31]) > 0).all()
    assert (np.diff(rates[30:]) < 0).all()


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_a_single_step(schedule):
    """A run of one step has one finite rate."""
    rates = learning_rates(Recipe(schedule=schedule), 1)
    assert rates.dtype == np.float32
    assert np.isfinite(rates).all()
