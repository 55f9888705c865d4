"""Intervals of a mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_bench.analysis.statistics import mean_interval


def test_a_worked_example():
    """Of 1, 2, 3, 4, 5: mean 3, sd √2.5, and t(4) = 2.776445 by the tables."""
    interval = mean_interval([1, 2, 3, 4, 5])
    half_width = 2.776445 * math.sqrt(2.5 / 5)
    assert (interval.mean, interval.n) == (3, 5)
    assert interval.sd == pytest.approx(math.sqrt(2.5))
    assert (interval.low, interval.high) == pytest.approx((3 - half_width, 3 + half_width), abs=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.floats(0.5, 0.999))
def test_agrees_with_scipy(values, confidence):
    """The bounds are those of scipy.stats, whatever the sample and the confidence."""
    sem = stats.sem(values)
    interval = mean_interval(values, confidence)
    if sem > 1e-9:
        expected = stats.t.interval(confidence, len(values) - 1, loc=np.mean(values), scale=sem)
        assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert interval.low <= interval.mean <= interval.high


def test_covers_the_mean_as_often_as_it_says():
    """Of 4,000 samples of 10, the 95% interval holds the true mean in 95%, within 4 standard errors."""
    samples = np.random.default_rng(0).normal(size=(4000, 10))
    covered = np.mean([interval.low <= 0 <= interval.high for interval in map(mean_interval, samples)])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))


@pytest.mark.parametrize(("values", "mean"), [([], math.nan), ([0.5], 0.5)])
def test_too_few_values_have_no_interval(values, mean):
    """One value says nothing of its spread, and none nothing at all."""
    interval = mean_interval(values)
    np.testing.assert_equal([interval.mean, interval.low, interval.high, interval.sd], [mean, *[math.nan] * 3])


def test_refuses_nan():
    """A missing figure is not left out in silence."""
    with pytest.raises(ValueError, match="NaN has no mean"):
        mean_interval([1.0, math.nan])
