"""Tests of paired differences, held to scipy.stats, statsmodels and tables worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from mnist_bench.analysis.statistics import (
    EXACT_UP_TO,
    SAMPLED,
    attainable_alpha,
    differences,
    equivalence_p,
    holm,
    paired,
    sign_flip_p,
    t_test_p,
)
from mnist_bench.errors import ComparisonError

# Accuracies of whole images, so that sums tie; and any numbers, none so small that it is lost beside the others.
SAMPLES = st.one_of(
    st.lists(st.integers(-20, 20).map(lambda images: images / 10_000), min_size=2, max_size=9),
    st.lists(st.floats(-1, 1).map(lambda value: round(value, 6)), min_size=2, max_size=9),
)
TESTS = [sign_flip_p, t_test_p, lambda sample: equivalence_p(sample, 0.1)]


def normal(k, n, mean=0.0):
    return np.random.default_rng(k + n).normal(mean, size=(k, n))


def four_errors(rate, k):
    """Four standard errors of a rate found in k samples."""
    return 4 * math.sqrt(rate * (1 - rate) / k)


def test_differences_pair_by_seed():
    """Whatever the order in which the runs came, each is compared with that of its seed."""
    paired = differences({3: 0.75, 1: 0.5, 2: 1.0}, {1: 0.25, 2: 0.75, 3: 1.0})
    np.testing.assert_array_equal(paired, [0.25, 0.25, -0.25])


@pytest.mark.parametrize(
    ("variant", "against", "message"),
    [
        ({1: 0.5, 2: 0.5}, {1: 0.5}, "seed 2 finished on one side only: run"),
        ({1: 0.5, 2: 0.5}, {3: 0.5, 4: 0.5}, "seeds 1, 2, 3, 4 finished on one side only: run"),
        ({1: 0.5}, dict.fromkeys(range(1, 10), 0.5), "seeds 2, 3, 4, 5, 6 and 3 more finished on one side only: run"),
        ({1: 0.5}, {1: 0.5}, "needs two seeds, there is 1: run"),
        ({}, {}, "needs two seeds, there is 0: run"),
        ({1: 0.5, 2: math.nan}, {1: 0.5, 2: 0.5}, "seed 2 recorded NaN for this figure: leave it out"),
    ],
)
def test_differences_refuse_what_does_not_pair(variant, against, message):
    """Seeds without a partner, without a figure, or too few of them are named, with the mend."""
    with pytest.raises(ComparisonError, match=message):
        differences(variant, against)


def test_sign_flips_worked_by_hand():
    """Of 1, 2, 4 the sums are ±7, ±5, ±3, ±1; of -1, 2, 4 the observed 5 is reached by ±5 and ±7."""
    assert sign_flip_p(np.array([1.0, 2, 4])) == 2 / 8
    assert sign_flip_p(np.array([-1.0, 2, 4])) == 4 / 8
    assert sign_flip_p(np.array([1.0, 2, -4])) == 8 / 8


@given(st.lists(st.integers(-40, 40).map(lambda images: images / 64), min_size=2, max_size=9))
def test_sign_flips_agree_with_scipy(sample):
    """The exact p is that of scipy's permutation test, ties included; of fractions whose sums scipy doesn't round."""
    theirs = stats.permutation_test((sample,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(np.array(sample)) == pytest.approx(min(1, theirs.pvalue))


def test_ties_count_whatever_their_rounding():
    """0.1 + 0.2 is above 0.3 in its last digit, and -0.3 + 0.1 + 0.2 must yet be no nearer to 0 than its mirror."""
    assert sign_flip_p(np.array([0.1, 0.2, -0.3])) == 1
    assert sign_flip_p(np.array([0.1, 0.1, 0.1, 0.1, 0.1, -0.1])) == (2 + 12) / 64


@pytest.mark.parametrize("n", [EXACT_UP_TO + 1, 20])
def test_sampled_sign_flips_come_close_to_all_of_them(n):
    """Beyond 16 pairs a sample of 100,000 gives the p of all 2^n within 4 standard errors, always the same."""
    sample = normal(1, n, 0.4)[0]
    sums = np.zeros(1)
    for difference in sample:
        sums = np.concatenate([sums + difference, sums - difference])  # of all assignments, one pair after another
    exact = np.mean(np.abs(sums) >= abs(sample.sum()) - 1e-9)
    sampled = sign_flip_p(sample)
    assert sampled == pytest.approx(exact, abs=four_errors(exact, SAMPLED))
    paired._signs.cache_clear()
    assert sign_flip_p(sample) == sampled


@pytest.mark.parametrize("effect", [0.0, 0.08, 0.15])
@pytest.mark.parametrize("images", [500, 10_000])
@pytest.mark.parametrize("outlier", [0, 0.3])
def test_many_pairs_have_the_p_that_counting_gives(effect, images, outlier):
    """Of 600 pairs, of whole images and one of them far off, the normal distribution tells what signs do."""
    sample = np.round(normal(1, 600, effect)[0] / 100 * images) / images
    sample[0] += outlier
    assert paired._evenly_spread(sample[None])
    counted = paired._counted_p(sample[None])[0]
    assert sign_flip_p(sample) == pytest.approx(counted, abs=four_errors(max(counted, 1e-4), SAMPLED) + 0.0005)


def test_a_few_that_outweigh_the_rest_are_counted():
    """Where not even the sum of all but the 16 largest is normal, signs are sampled."""
    sample = np.concatenate([np.full(40, 1.0), np.full(300, 0.001)])
    assert not paired._evenly_spread(sample[None])
    assert sign_flip_p(sample) == 1 / (1 + SAMPLED)


@given(SAMPLES)
def test_t_agrees_with_scipy(sample):
    """The p is that of scipy's paired t test, wherever there is a deviation to speak of."""
    if np.std(sample) > 1e-9:
        assert t_test_p(np.array(sample)) == pytest.approx(stats.ttest_1samp(sample, 0).pvalue, rel=1e-6, abs=1e-12)


@given(SAMPLES, st.floats(0.0001, 1))
def test_equivalence_agrees_with_statsmodels(sample, margin):
    """The p is that of the two one-sided tests of statsmodels, wherever there is a deviation to speak of."""
    if np.std(sample) > 1e-9:
        theirs, *_ = ttost_paired(np.array(sample), np.zeros(len(sample)), -margin, margin)
        assert equivalence_p(np.array(sample), margin) == pytest.approx(theirs, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "flips", "t", "equivalence"), [(0.0, 1, 1, 0), (0.1, 2 / 8, 0, 0), (0.3, 2 / 8, 0, 1)]
)
def test_without_deviation(value, flips, t, equivalence):
    """Three equal differences decide, though their deviation is 0 but for rounding; of signs there are too few."""
    sample = np.full(3, value)
    assert (sign_flip_p(sample), t_test_p(sample), equivalence_p(sample, 0.2)) == (flips, t, equivalence)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("n", [4, EXACT_UP_TO + 2])
def test_rows_are_samples(test, n, monkeypatch):
    """Samples as rows get the p's that each gets alone, in one go or in many."""
    samples = normal(5, n)
    alone = [test(sample) for sample in samples]
    assert isinstance(alone[0], float)
    np.testing.assert_allclose(test(samples), alone)
    monkeypatch.setattr("mnist_bench.analysis.statistics.paired._AT_ONCE", 1000)
    np.testing.assert_allclose(test(samples), alone)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("sample", "message"), [([1.0, math.nan], "NaN"), ([1.0], "two differences")])
def test_refuse_what_has_no_p(test, sample, message):
    """A NaN, or a single difference, gives no p at all rather than a small one."""
    with pytest.raises(ValueError, match=message):
        test(np.array(sample))


@pytest.mark.parametrize(("n", "k"), [(6, 10_000), (10, 10_000), (20, 1000)])
def test_sign_flips_are_wrong_as_often_as_they_say(n, k):
    """Under the null they reject at 0.05 in the attainable part of 5%, within 4 standard errors."""
    expected = attainable_alpha(0.05, n)
    rejected = np.mean(sign_flip_p(normal(k, n)) <= 0.05)
    assert rejected == pytest.approx(expected, abs=four_errors(expected, k))


@pytest.mark.parametrize("sign", [1, -1])
def test_equivalence_is_wrong_as_often_as_it_says(sign):
    """With a true effect at the margin's very edge they call 5% equivalent if it is wide, none if it is too narrow."""
    samples = normal(10_000, 10, sign * 2.0)
    assert np.mean(equivalence_p(samples, 2) <= 0.05) == pytest.approx(0.05, abs=four_errors(0.05, 10_000))
    assert np.mean(equivalence_p(samples - sign * 1.8, 0.2) <= 0.05) <= 0.05


def test_holm_worked_by_hand():
    """Holm: the smallest of four times 4, the next times 3, and none below the one before it."""
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])


@pytest.mark.parametrize("m", [1, 2, 7, 28])
def test_holm_agrees_with_statsmodels(m):
    """In the order given, ties included, the adjusted p-values are those of statsmodels."""
    p_values = np.random.default_rng(m).integers(0, 20, m) / 200
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], atol=1e-12)


def test_holm_of_none_and_of_nan():
    """No tests have no p-values; a NaN among them is refused."""
    assert holm([]).shape == (0,)
    with pytest.raises(ValueError, match="NaN among p-values"):
        holm([0.1, math.nan])
