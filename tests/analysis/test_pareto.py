"""The Pareto front."""

from __future__ import annotations

import math

import pytest

from mnist_bench.analysis.pareto import pareto_front


@pytest.mark.parametrize(
    ("costs", "gains", "front"),
    [
        ([1, 2, 3], [1, 3, 2], [True, True, False]),
        ([1, 1, 2], [1, 2, 2], [False, True, False]),
        ([1, 1], [2, 2], [True, True]),
        ([1, math.nan, 1], [1, 9, math.nan], [True, False, False]),
    ],
    ids=["beaten in both", "beaten in one", "equals", "unknown"],
)
def test_what_nothing_beats_is_on_the_front(costs, gains, front):
    """A point is off it if another is as good in both and better in one; what is unknown beats nothing."""
    assert pareto_front(costs, gains).tolist() == front
