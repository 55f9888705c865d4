"""Ranks that are shared by what can't be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import recorded_suite

from mnist_bench.analysis.ranks import ranks

NOISE = np.random.default_rng(0).normal(0, 0.001, (4, 10))


def test_what_cannot_be_told_apart_shares_a_rank():
    """Two that differ by noise are both first; the one that both beat is third."""
    accuracies = {"baseline": 0.95 + NOISE[0], "alike": 0.95 + NOISE[1], "worse": 0.9 + NOISE[2]}
    assert ranks(recorded_suite({k: list(v) for k, v in accuracies.items()})) == {"baseline": 1, "alike": 1, "worse": 3}


def test_the_worse_comes_after_the_better_in_either_order():
    """Which of two stands first in the suite makes no difference."""
    suite = recorded_suite({"baseline": list(0.9 + NOISE[0]), "better": list(0.95 + NOISE[1])})
    assert ranks(suite) == {"baseline": 2, "better": 1}


def test_what_has_too_few_pairs_has_no_rank():
    """Below six pairs nothing is ranked: too often they are all alike; the others are."""
    six = [0.9, 0.91, 0.9, 0.92, 0.9, 0.91]
    suite = recorded_suite({"baseline": six, "wide": six[::-1], "few": [0.99] * 5, "none": []})
    assert ranks(suite) == {"baseline": 1, "wide": 1}


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "step"), [(6, 0.001), (6, 0.0001), (10, 0.001)])
def test_ranks_among_equals_are_seldom_false(seeds, step):
    """In 300 suites of 4 equals, whose accuracies come in steps, at most 5% (and 4 errors) tell any two apart."""
    noise = np.random.default_rng(1).normal(0.95, 0.0015, (300, 4, seeds)) / step
    names = ["baseline", "a", "b", "c"]
    suites = (recorded_suite(dict(zip(names, map(list, suite), strict=True))) for suite in noise.round() * step)
    apart = [set(ranks(suite).values()) != {1} for suite in suites]
    assert np.mean(apart) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)
