"""Two models over the same images, and the noise of the images."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import contingency_tables

from mnist_bench.analysis.statistics.images import McNemar, bootstrap_interval, mcnemar, proportion_interval
from mnist_bench.errors import ComparisonError


def _right(both, a_only, b_only, neither=0):
    """Which images two models get right, for numbers of images of each kind."""
    kinds = [[True, True]] * both + [[True, False]] * a_only + [[False, True]] * b_only + [[False, False]] * neither
    return np.array(kinds, dtype=bool).reshape(-1, 2).T


@pytest.mark.parametrize(
    ("a_only", "b_only", "p"),
    [
        (1, 5, 14 / 64),  # (1 + 6) / 2^6 in each tail
        (0, 5, 2 / 32),
        (4, 4, 1.0),
        (121, 59, stats.chi2.sf(61**2 / 180, 1)),  # (|121 - 59| - 1)² / (121 + 59)
    ],
)
def test_worked_examples(a_only, b_only, p):
    """A few discordant images are counted out, many go by chi-squared with continuity correction."""
    result = mcnemar(*_right(both=50, a_only=a_only, b_only=b_only, neither=7))
    assert (result.a_only, result.b_only) == (a_only, b_only)
    assert result.p == pytest.approx(p)


@pytest.mark.parametrize(("discordant", "exact"), [(24, True), (25, False)])
def test_exact_below_25_discordant_images(discordant, exact):
    """The p is that of statsmodels, exact for 24 images and approximate for 25; the two differ there."""
    table = [[10, discordant - 6], [6, 3]]
    result = mcnemar(*_right(10, discordant - 6, 6, 3))
    assert result.p == contingency_tables.mcnemar(table, exact=exact, correction=True).pvalue
    assert result.p != contingency_tables.mcnemar(table, exact=not exact, correction=True).pvalue


@pytest.mark.parametrize("images", [0, 5])
def test_models_that_never_differ(images):
    """Without a discordant image there is nothing against their being alike."""
    assert mcnemar(*_right(images, 0, 0)) == McNemar(0, 0, 1.0)


def test_refuses_models_of_other_images():
    """Two test sets of different lengths are never laid side by side."""
    with pytest.raises(ComparisonError, match="3 images on one side and 4 on the other"):
        mcnemar([True] * 3, [True] * 4)


def test_wilson_by_the_book():
    """81 of 263 gives 0.2553 to 0.3662 (Newcombe 1998, table I); 0 of 10 begins at 0 and ends at z² / (n + z²)."""
    assert proportion_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    z = stats.norm.ppf(0.975)
    assert proportion_interval(0, 10) == pytest.approx((0, z**2 / (10 + z**2)), abs=1e-12)


def test_wilson_agrees_with_scipy():
    """The bounds are those of scipy.stats, at another confidence too."""
    expected = stats.binomtest(9930, 10_000).proportion_ci(0.9, method="wilson")
    assert proportion_interval(9930, 10_000, 0.9) == pytest.approx((expected.low, expected.high))


def test_wilson_covers_about_as_often_as_it_says():
    """Weighed over all that 1,000 images at 98% can give, the interval holds the truth in 95%, give or take 1%."""
    counts = np.arange(900, 1001)
    weights = stats.binom.pmf(counts, 1000, 0.98)
    bounds = np.array([proportion_interval(int(count), 1000) for count in counts])
    covered = weights[(bounds[:, 0] <= 0.98) & (bounds[:, 1] >= 0.98)].sum()
    assert covered == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("count", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_refuses_what_is_no_proportion(count, n):
    """Of no images there is no share."""
    with pytest.raises(ValueError, match="is no proportion"):
        proportion_interval(count, n)


def test_the_bootstrap_of_a_share_is_the_binomials():
    """Of 0s and 1s the resampled mean is binomial, so the bounds are its quantiles, within the resampling's noise."""
    n, share = 10_000, 0.3
    bounds = bootstrap_interval(np.arange(n) < n * share)
    assert bounds == pytest.approx(stats.binom.ppf([0.025, 0.975], n, share) / n, abs=3e-4)


def test_the_bootstrap_agrees_with_scipys():
    """Resampling images one by one, as scipy does, comes to the same bounds."""
    values = np.random.default_rng(1).integers(-4, 5, 300) / 4
    theirs = stats.bootstrap([values], np.mean, method="percentile", rng=np.random.default_rng(2)).confidence_interval
    assert bootstrap_interval(values) == pytest.approx((theirs.low, theirs.high), abs=0.01)


@pytest.mark.slow
def test_the_bootstrap_covers_the_mean_as_often_as_it_says():
    """Of 400 test sets of 1,000 images, the 95% interval holds the true effect in 95%, within 4 standard errors."""
    generator = np.random.default_rng(0)
    levels, chances = np.arange(-2, 3) / 2, np.array([0.01, 0.01, 0.94, 0.02, 0.02])
    bounds = [bootstrap_interval(generator.choice(levels, 1000, p=chances)) for _ in range(400)]
    covered = np.mean([low <= levels @ chances <= high for low, high in bounds])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 400))


def test_the_bootstrap_repeats_itself_and_is_fast():
    """The same values give the same bounds, and 10,000 images of ten runs a side take less than a second."""
    values = np.random.default_rng(0).integers(-10, 11, 10_000) / 10
    start = time.process_time()
    bounds = bootstrap_interval(values)
    assert time.process_time() - start < 1
    assert bootstrap_interval(values) == bounds


def test_equal_values_have_no_noise():
    """Where every image has the same value, so has every resampled mean."""
    assert bootstrap_interval([0.5] * 8) == (0.5, 0.5)


@pytest.mark.parametrize("values", [[], [0.5, math.nan]])
def test_refuses_a_sample_without_mean(values):
    """A missing figure is not left out in silence."""
    with pytest.raises(ValueError, match="has no mean"):
        bootstrap_interval(values)
