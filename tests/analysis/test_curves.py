"""What a learning curve says."""

from __future__ import annotations

import pytest

from mnist_bench.analysis.curves import epoch_of_least, epoch_that_reaches


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
