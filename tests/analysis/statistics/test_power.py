"""What numbers of seeds can show, held to statsmodels, to searches by brute force, and to simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr
from statsmodels.stats.power import TTestPower

from mnist_bench.analysis.statistics import (
    EXACT_UP_TO,
    SAMPLED,
    attainable_alpha,
    detectable_effect,
    equivalence_p,
    equivalence_power,
    least_p,
    power,
    seeds_for_equivalence,
    seeds_needed,
    sign_flip_p,
)


@pytest.mark.parametrize("n", range(2, EXACT_UP_TO + 1))
def test_the_least_p_is_what_equal_signs_get(n):
    """Differences that all have one sign get the least p, which only they can."""
    assert sign_flip_p(np.arange(1.0, n + 1)) == least_p(n)
    assert sign_flip_p(np.append(-1.0, np.arange(1.0, n))) > least_p(n)


def test_the_least_p_of_a_sample():
    """Of 40 pairs no assignment of the sample is the observed one: that alone is counted."""
    assert sign_flip_p(np.arange(1.0, 41)) == least_p(40) == 1 / (SAMPLED + 1)


@pytest.mark.parametrize(
    ("alpha", "n", "expected"),
    [(0.05, 5, 0), (0.0625, 5, 0.0625), (0.05, 6, 2 / 64), (0.05, 7, 6 / 128), (0.05, 10, 50 / 1024), (1e-6, 17, 0)],
)
def test_attainable_alpha(alpha, n, expected):
    """The worked figures: five pairs can't be below 0.0625, six have one step below 0.05, ten have 25."""
    assert attainable_alpha(alpha, n) == expected


@pytest.mark.parametrize("n", [2, 6, 11, 16, 17, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7, 0.9])
def test_attainable_alpha_is_the_largest_below(alpha, n):
    """One step of the least p more would be above alpha."""
    assert attainable_alpha(alpha, n) <= alpha < attainable_alpha(alpha, n) + least_p(n)


@pytest.mark.parametrize(
    ("n", "alpha"), [(9, 0.05), (10, 0.05), (16, 0.05), (16, 0.05 / 7), (40, 0.05), (40, 0.05 / 7)]
)
@pytest.mark.parametrize("errors", [0.1, -1, 4.5])
def test_power_agrees_with_statsmodels(errors, n, alpha):
    """The power is that of statsmodels' paired t test at the attainable alpha, and knows no unit."""
    effect = errors / math.sqrt(n)
    theirs = TTestPower().power(effect, n, attainable_alpha(alpha, n))
    assert power(effect, 1, n, alpha) == pytest.approx(theirs, rel=1e-6)
    assert power(effect / 100, 0.01, n, alpha) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("n", [6, 10, 16, 40, 1000])
def test_power_grows_with_the_effect_up_to_1(n):
    """Whatever the effect, up to a million deviations, there is a power, on either side the same."""
    effects = [0, *np.geomspace(0.001, 1e6, 400)]
    powers = [power(effect, 1, n, 0.05) for effect in effects]
    assert powers[0] == pytest.approx(attainable_alpha(0.05, n), abs=0.015 if n == 6 else 1e-9)  # 6: by simulation
    assert powers[-1] == pytest.approx(1)
    assert np.all(np.diff(powers) >= (-1e-3 if n == 6 else -1e-9))
    assert powers == [power(-effect, 1, n, 0.05) for effect in effects]


@pytest.mark.parametrize(("n", "alpha"), [(10, 0.05), (16, 0.05), (16, 0.05 / 28), (40, 0.05 / 28)])
def test_detectable_effect_agrees_with_statsmodels(n, alpha):
    """The smallest effect found with a power of 80%, in the unit of the deviation, is what statsmodels solves for."""
    theirs = TTestPower().solve_power(nobs=n, alpha=attainable_alpha(alpha, n), power=0.8)
    assert detectable_effect(0.25, n, alpha) == pytest.approx(0.25 * theirs, rel=1e-5)


def test_where_no_verdict_is_reachable():
    """Five pairs at 0.05 find nothing, however large, even without any deviation."""
    assert detectable_effect(1, 5, 0.05) == math.inf
    assert power(1000, 1, 5, 0.05) == power(1000, 0, 5, 0.05) == power(1000, 1, 1, 0.05) == 0


def test_without_deviation():
    """Any effect but none is found, as soon as a verdict is reachable: from 6 pairs on at 0.05."""
    assert (power(0.1, 0, 6, 0.05), power(0, 0, 6, 0.05), detectable_effect(0, 6, 0.05)) == (1, 0, 0)
    assert seeds_needed(0.1, 0, 0.05) == 6
    assert (equivalence_power(0.1, 0, 2, 0.2, 0.05), equivalence_power(0.2, 0, 2, 0.2, 0.05)) == (1, 0)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7, 0.05 / 28, 3.5e-5])
@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_seeds_needed_are_the_first_that_suffice(alpha, target):
    """Going through all numbers of pairs from 2 on finds the same."""
    for effect in (-5.0, 2.0, 1.2, 0.6, 0.3):
        first = next(n for n in range(2, 1000) if power(effect, 1, n, alpha) >= target)
        assert seeds_needed(effect, 1, alpha, target) == first


def test_seeds_needed_agree_with_statsmodels():
    """A tenth of the deviation takes 787 pairs at 0.05 by statsmodels, and no number shows an effect of 0."""
    assert seeds_needed(0.1, 1, 0.05) == math.ceil(TTestPower().solve_power(0.1, power=0.8, alpha=0.05)) == 787
    assert 500_000 < seeds_needed(0.003, 1, 0.05) < 1_000_000
    assert seeds_needed(0.002, 1, 0.05) is None
    assert seeds_needed(0, 1, 0.05) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "alpha"),
    [
        (6, 0.05),
        (10, 0.05),
        (10, 0.05 / 3),
        (10, 0.05 / 7),
        (11, 0.05 / 28),
        (12, 0.05 / 7),
        (16, 0.05 / 28),
        (20, 0.05),
    ],
)
@pytest.mark.parametrize("target", [0.5, 0.8])
def test_power_predicts_what_sign_flips_find(n, alpha, target):
    """Of samples with the detectable effect, the sign-flip test finds the promised share, within 5 points."""
    k = 6000 if n <= 12 else 2000
    effect = detectable_effect(0.1, n, alpha, target)
    samples = np.random.default_rng(n + 7).normal(effect, 0.1, size=(k, n))
    assert np.mean(sign_flip_p(samples) <= alpha) == pytest.approx(target, abs=0.05)


@pytest.mark.parametrize(("effect", "n"), [(0.5, 6), (1.0, 9), (2.0, 11)])
def test_power_where_all_signs_have_to_agree(effect, n):
    """With a single assignment left, it is the probability that n differences have one sign: Φ(d)^n + Φ(-d)^n."""
    assert power(effect, 1, n, least_p(n)) == pytest.approx(ndtr(effect) ** n + ndtr(-effect) ** n, abs=0.03)


@pytest.mark.parametrize(("effect", "sd", "n"), [(0, 0.1, 12), (0.03, 0.1, 24), (-0.03, 0.06, 10), (0.05, 0.1, 60)])
def test_equivalence_power_is_what_a_simulation_finds(effect, sd, n):
    """Where it is above a half, it is the share of samples found equivalent within 0.1, within 4 standard errors."""
    expected = equivalence_power(effect, sd, n, 0.1, 0.05)
    samples = np.random.default_rng(n).normal(effect, sd, size=(10_000, n))
    assert 0.5 < expected < 0.99
    found = np.mean(equivalence_p(samples, 0.1) <= 0.05)
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 10_000))


def test_equivalence_power_is_never_below_0():
    """Where both one-sided tests mostly fail, with a single pair, and far beyond the margin, there is none."""
    assert equivalence_power(0, 1, 3, 0.1, 0.05) == equivalence_power(0, 1, 1, 100, 0.05) == 0
    beyond = [equivalence_power(effect, 1, 10, 1, 0.05) for effect in np.linspace(2, 50, 100)]
    assert 0 <= min(beyond) <= max(beyond) < 1e-5


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_seeds_for_equivalence_are_the_first_that_suffice(target):
    """Going through all numbers of pairs from 2 on finds the same."""
    for effect, sd in [(0, 0.01), (0, 0.1), (0.05, 0.1), (-0.05, 0.2)]:
        first = next(n for n in range(2, 1000) if equivalence_power(effect, sd, n, 0.1, 0.05) >= target)
        assert seeds_for_equivalence(effect, sd, 0.1, 0.05, target) == first


@pytest.mark.parametrize("effect", [0.1, -0.1, 0.2, 0.0999999])
def test_no_seeds_show_equivalence_at_the_margin(effect):
    """An effect as large as the margin, or nearly, is none that a million pairs could call equivalent."""
    assert seeds_for_equivalence(effect, 0.1, 0.1, 0.05) is None
