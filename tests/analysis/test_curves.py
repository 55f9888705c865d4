"""What a learning curve says."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_bench.analysis.curves import band, best_epoch, epoch_of_least, epoch_that_reaches, overfits_from


@pytest.mark.parametrize(
    ("curve", "epoch"),
    [([0.5, 0.98, 0.99], 2), ([0.99, 0.5], 1), ([0.5, 0.979], None), ([], None)],
)
def test_the_first_epoch_that_reaches_a_value(curve, epoch):
    """Epochs count from 1, to reach is to come at least there, and later falls don't matter."""
    assert epoch_that_reaches(curve, 0.98) == epoch


@pytest.mark.parametrize(
    ("curve", "epoch"),
    [([0.3, 0.1, 0.2], 2), ([0.3, 0.1, 0.1], 2), ([0.3, 0.2, 0.1], 3), ([0.1], 1)],
)
def test_the_epoch_of_least(curve, epoch):
    """Of equals the first counts: from there on it is no better."""
    assert epoch_of_least(curve) == epoch


def test_no_epochs_have_no_least():
    """A curve without epochs is a fault of the caller's."""
    with pytest.raises(ValueError, match="empty"):
        epoch_of_least([])


def test_a_band_is_of_the_runs_that_got_to_an_epoch():
    """Mean, lowest and highest run an epoch; runs that stopped early count as far as they went."""
    told = band([[1.0, 0.5, 0.25], [3.0, 1.5]])
    assert told.index.tolist() == [1, 2, 3]
    assert told["mean"].tolist() == [2, 1, 0.25]
    assert told["low"].tolist() == [1, 0.5, 0.25]
    assert told["high"].tolist() == [3, 1.5, 0.25]


def test_the_best_epoch_is_that_of_the_mean():
    """Where all runs still train: that one run went on alone, and came lower, doesn't count."""
    assert best_epoch([[3, 1, 2, 0], [3, 2, 1.5]]) == 2


def test_overfitting_begins_where_losses_have_risen_for_good():
    """It is found where the losses leave their scatter, not where they are least; later falls end it."""
    generator = np.random.default_rng(0)
    true = np.abs(np.arange(12) - 4) * 0.02  # least in epoch 5
    losses = true + generator.normal(0, 0.02, (10, 12))
    assert overfits_from(losses.tolist()) in {6, 7}
    assert overfits_from([*(losses - true * (np.arange(12) == 11))]) is None


def test_overfitting_is_not_shown_by_little():
    """One run shows none, and two that differ hardly any."""
    assert overfits_from([[1.0, 0.5, 0.6]]) is None
    assert overfits_from([[1.0, 0.5, 0.6], [1.0, 0.5, 1.5]]) is None


def test_noise_is_seldom_taken_for_overfitting():
    """Where losses only scatter it is found in fewer than a tenth of variants, though the least is chosen by them."""
    generator = np.random.default_rng(1)
    found = [overfits_from(generator.normal(0, 1, (10, 10)).tolist()) is not None for _ in range(400)]
    assert np.mean(found) < 0.1
