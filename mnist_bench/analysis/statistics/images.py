"""What the test images carry: two models over the same images, and the noise that so many images leave.

Apart from the rest of the package, which does without `statsmodels`: it takes some two seconds to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from statsmodels.stats import contingency_tables
from statsmodels.stats.proportion import proportion_confint

from mnist_bench.analysis.statistics.intervals import CONFIDENCE
from mnist_bench.errors import ComparisonError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Bounds", "McNemar", "bootstrap_interval", "mcnemar", "proportion_interval"]

_EXACT_BELOW = 25  # discordant images
_RESAMPLES = 10_000
_SEED = 0  # fixed: the same figures give the same bounds


class Bounds(NamedTuple):
    """The ends of a confidence interval, in the unit of what it was made from."""

    low: float
    high: float


@dataclass(frozen=True)
class McNemar:
    """How many images one of two models alone gets right, and how likely so uneven numbers are by chance."""

    a_only: int
    b_only: int
    p: float  # two-sided


def mcnemar(right_a: ArrayLike, right_b: ArrayLike) -> McNemar:
    """Whether two models get the same share of the images right; each given as bools, (images,).

    McNemar (1947): of the images that one model alone gets right, half are expected to be each one's. Below 25 of them
    the exact binomial test, otherwise chi-squared with continuity correction (Edwards 1948); p is 1 where there are
    none.

    Raises:
        ComparisonError: the two are not of the same images.
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    if a.shape != b.shape:
        raise ComparisonError(f"{a.size} images on one side and {b.size} on the other: compare models of one test set")
    a_only, b_only = int((a & ~b).sum()), int((~a & b).sum())
    table = [[int((a & b).sum()), a_only], [b_only, int((~a & ~b).sum())]]
    test = contingency_tables.mcnemar(table, exact=a_only + b_only < _EXACT_BELOW, correction=True)
    return McNemar(a_only, b_only, float(test.pvalue))


def proportion_interval(count: int, n: int, confidence: float = CONFIDENCE) -> Bounds:
    """The interval of a proportion of which `count` of `n` were seen, in [0, 1], by Wilson's score (Wilson 1927).

    Raises:
        ValueError: there are none, or `count` is not among 0 to `n`.
    """
    if n < 1 or not 0 <= count <= n:
        raise ValueError(f"{count} of {n} is no proportion")
    low, high = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    return Bounds(float(low), float(high))


def bootstrap_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> Bounds:
    """The interval of a mean of `values`, (images,), in their unit: the noise of having these images and no others.

    Percentile bootstrap (Efron 1979): 10,000 times as many images are drawn again, with replacement, seeded. Drawn as
    how often each distinct value comes up, which is the same and fast where they are few, as with shares of a few runs.

    Raises:
        ValueError: there is no value, or one is NaN.
    """
    sample = np.asarray(values, dtype=float)
    n = len(sample)
    if n == 0 or np.isnan(sample).any():
        raise ValueError("a sample that is empty, or holds NaN, has no mean")
    levels, counts = np.unique(sample, return_counts=True)  # (levels,)
    drawn = np.random.default_rng(_SEED).multinomial(n, counts / n, size=_RESAMPLES)  # (resamples, levels)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn @ levels / n, [tail, 1 - tail])
    return Bounds(float(low), float(high))
