"""Levels for several looks, held to published bounds, to the multivariate normal, and to simulated peeking."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from mnist_bench.analysis.statistics import nominal_levels, overall_p, sequential, sign_flip_p, t_test_p

PLANS = [(10, 20, 30, 40), (5, 10, 15, 20, 25, 30)]


def bounds(looks, alpha):
    return -ndtri(np.array(nominal_levels(looks, alpha)) / 2)


def false_verdicts(p, levels):
    """The share of the samples that are rejected at any look; their p at each look are (samples, looks)."""
    return np.mean((p[:, : len(levels)] <= levels).any(axis=1))


@pytest.fixture(autouse=True)
def _uncached():
    """Each test computes its levels."""
    sequential._levels.cache_clear()


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        ((10, 20), (2.157, 2.201)),
        ((10, 20, 30), (2.279, 2.295, 2.296)),
        ((10, 20, 30, 40), (2.368, 2.368, 2.358, 2.350)),
        ((10, 20, 30, 40, 50), (2.438, 2.427, 2.410, 2.397, 2.386)),
    ],
)
def test_bounds_are_the_published_ones(looks, published):
    """Lan and DeMets' bounds for the function like Pocock's, equally spaced looks, two-sided 0.05."""
    assert bounds(looks, 0.05) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7, 0.05 / 28])
def test_one_look_is_no_peeking(alpha):
    """It may use the whole of alpha, to the last digit: an exact p may be equal to it."""
    assert nominal_levels([10], alpha) == (alpha,)


@pytest.mark.parametrize(
    ("looks", "alpha"),
    [((10, 20, 30, 40), 0.05), ((10, 20, 30, 40), 0.05 / 28), ((5, 6, 20, 40), 0.05 / 7), (range(5, 55, 5), 0.01)],
)
def test_the_whole_of_alpha_is_spent(looks, alpha):
    """By scipy's multivariate normal the statistics of the looks leave their bounds with the probability alpha."""
    times = np.array(looks) / looks[-1]
    correlation = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    upper = bounds(looks, alpha)
    inside = stats.multivariate_normal.cdf(
        upper, None, correlation, lower_limit=-upper, maxpts=100_000, abseps=1e-8, rng=np.random.default_rng(0)
    )
    assert 1 - inside == pytest.approx(alpha, rel=3e-3)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 28])
@pytest.mark.parametrize("looks", [range(5, 105, 5), (5, 6, 20, 21, 100)])
def test_a_finer_integral_gives_the_same_levels(looks, alpha, monkeypatch):
    """Four times as many places change no level by a millionth of it, with many looks and uneven ones; fewer would."""

    def levels_by(places):
        nodes, weights = np.polynomial.legendre.leggauss(places)
        monkeypatch.setattr(sequential, "_PANEL_NODES", nodes)
        monkeypatch.setattr(sequential, "_PANEL_WEIGHTS", weights)
        sequential._levels.cache_clear()
        return nominal_levels(looks, alpha)

    levels = nominal_levels(looks, alpha)
    assert levels_by(40) == pytest.approx(levels, rel=1e-6)
    assert levels_by(3) != pytest.approx(levels, rel=1e-6)


@pytest.mark.parametrize(
    ("looks", "alpha", "message"),
    [
        ([], 0.05, "increasing"),
        ([0, 10], 0.05, "increasing"),
        ([10, 10], 0.05, "increasing"),
        ([20, 10], 0.05, "increasing"),
        ([10], 0, "between 0 and 1"),
        ([10], 1, "between 0 and 1"),
        ([10], math.nan, "between 0 and 1"),
    ],
)
def test_refuses_looks_that_are_none(looks, alpha, message):
    """No looks, looks back, and levels that are none are refused."""
    with pytest.raises(ValueError, match=message):
        nominal_levels(looks, alpha)


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("test", "samples"), [(t_test_p, 20_000), (sign_flip_p, 1000)])
def test_peeking_at_these_levels_gives_no_more_false_verdicts(plan, test, samples):
    """However many looks are planned, at most 5% of nulls are rejected (4 standard errors); at 0.05 each, over 9%."""
    differences = np.random.default_rng(0).normal(size=(samples, plan[-1]))
    p = np.stack([test(differences[:, :n]) for n in plan], axis=1)  # (samples, looks)
    for number in range(1, len(plan) + 1):
        most = 0.05 + 4 * math.sqrt(0.05 * 0.95 / samples)
        assert false_verdicts(p, nominal_levels(plan[:number], 0.05)) <= most
    assert false_verdicts(p, [0.05] * len(plan)) > 0.09


@pytest.mark.parametrize("looks", [(10, 20, 30, 40), (8, 12), (5, 10, 15, 20, 25, 30)])
@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.05 / 28])
def test_a_p_at_a_looks_level_comes_to_alpha_over_all_looks(looks, alpha):
    """What a look would just reject at `alpha` is worth `alpha` overall, to a thousandth, at whichever look."""
    levels = nominal_levels(looks, alpha)
    assert [overall_p(level, looks, look) for look, level in enumerate(levels)] == pytest.approx(
        [alpha] * len(looks), rel=1e-3
    )


def test_an_overall_p_keeps_the_order_and_the_ends():
    """One look changes nothing; otherwise 0 stays 0, 1 stays 1, and a smaller p stays smaller, never below itself."""
    assert overall_p(0.03, (10,), 0) == 0.03
    p_values = [0.0, 1e-12, 1e-9, 1e-4, 0.01, 0.04, 0.3, 1.0]
    overall = [overall_p(p, (10, 20), 0) for p in p_values]
    assert (overall[0], overall[-1]) == (0, 1)
    assert overall == sorted(overall)
    assert all(p <= over for p, over in zip(p_values, overall, strict=True))
