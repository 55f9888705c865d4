"""Intervals of a mean, and the luck of the best."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_bench.analysis.statistics import expected_luck, mean_interval


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


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 0), (2, 0.56419), (3, 0.84628), (5, 1.16296), (10, 1.53875), (50, 2.24907)]
)
def test_luck_is_that_of_the_tables_of_order_statistics(count, expected):
    """Harter's table (1961) of the largest of n standard normal deviates; and it grows with their deviation."""
    assert expected_luck(1, count) == pytest.approx(expected, abs=1e-5)
    assert expected_luck(0.25, count) == pytest.approx(0.25 * expected, abs=1e-5)


def test_luck_is_what_a_simulation_finds():
    """The best of 28 equals is ahead of their mean by as much on average, within 4 standard errors."""
    equals = np.random.default_rng(0).normal(99, 0.1, size=(20_000, 28))
    ahead = equals.max(axis=1) - 99
    assert ahead.mean() == pytest.approx(expected_luck(0.1, 28), abs=4 * stats.sem(ahead))


def test_nothing_has_no_best():
    """No variants are refused, not given a luck of 0."""
    with pytest.raises(ValueError, match="no best of 0"):
        expected_luck(1, 0)
