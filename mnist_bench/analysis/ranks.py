"""Ranks that are shared by what can't be told apart."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from mnist_bench.analysis.pairing import FEWEST_JUDGED, differences_of
from mnist_bench.analysis.statistics import holm, t_test_p
from mnist_bench.analysis.verdicts import ALPHA

if TYPE_CHECKING:
    from mnist_bench.tracking.reader import Suite

__all__ = ["ranks"]


def ranks(suite: Suite) -> dict[str, int]:
    """The rank of each variant that can be compared with another: 1, and one more for each that is shown to be better.

    Every variant is compared with every other that it shares six pairs with, by a paired t test at 5% after Holm: ten
    seeds can't carry so many comparisons by flipping signs, whose p is never below 0.002.
    """
    two = list(combinations(suite.variants["variant"], 2))
    differences = zip(two, differences_of(suite, two), strict=True)
    compared = [(names, each) for names, each in differences if len(each.by_pair) >= FEWEST_JUDGED]
    found = [each.p_over_looks(t_test_p) for _, each in compared]
    ranked = dict.fromkeys((name for names, _ in compared for name in names), 1)
    adjusted = holm([p for p, _ in found])
    for ((first, second), each), (_, look), p in zip(compared, found, adjusted, strict=True):
        if p <= ALPHA:
            ranked[second if each.within(look).mean() > 0 else first] += 1
    return ranked
