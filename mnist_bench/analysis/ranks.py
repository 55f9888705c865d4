"""Ranks that are shared by what can't be told apart."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from mnist_bench.analysis.pairing import FEWEST, differences_of
from mnist_bench.analysis.statistics import holm, t_test_p
from mnist_bench.analysis.verdicts import ALPHA

if TYPE_CHECKING:
    from mnist_bench.tracking.reader import Suite

__all__ = ["ranks"]


def ranks(suite: Suite) -> dict[str, int]:
    """The rank of each variant that can be compared with another: 1, and one more for each that is shown to be better.

    Every variant is compared with every other, by a paired t test at 5% after Holm: ten seeds can't carry so many
    comparisons by flipping signs, whose p is never below 0.002.
    """
    two = list(combinations(suite.variants["variant"], 2))
    differences = zip(two, differences_of(suite, two), strict=True)
    compared = [(names, each) for names, each in differences if len(each.by_pair) >= FEWEST]
    adjusted = holm([each.p_over_looks(t_test_p, suite.looks) for _, each in compared])
    ranked = dict.fromkeys((name for names, _ in compared for name in names), 1)
    for ((first, second), each), p in zip(compared, adjusted, strict=True):
        if p <= ALPHA:
            better = sum(each.by_pair.values()) > 0
            ranked[second if better else first] += 1
    return ranked
