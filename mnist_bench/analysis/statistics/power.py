"""What a number of seeds can show, and how many seeds it takes."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import nctdtr, stdtrit

from mnist_bench.analysis.statistics.paired import EXACT_UP_TO, SAMPLED
from mnist_bench.analysis.statistics.roots import reaches

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "attainable_alpha",
    "detectable_effect",
    "equivalence_power",
    "least_p",
    "power",
    "seeds_for_equivalence",
    "seeds_needed",
]

_MOST_SEEDS = 1_000_000  # beyond, "never" is the better answer
_FEW = 8  # assignments of signs
_DRAWS = 4_000  # of a simulation: 80% is known to ±0.6 points (one standard error)


def least_p(n: int) -> float:
    """The smallest p that `sign_flip_p` can give for n pairs: only the observed signs, and their mirror, reach the sum.

    Of a sample of assignments, none need be these.
    """
    return 2 / 2**n if n <= EXACT_UP_TO else 1 / (1 + SAMPLED)


def attainable_alpha(alpha: float, n: int) -> float:
    """The largest p <= `alpha` that `sign_flip_p` can give for n pairs, a multiple of the least; 0 if there is none."""
    return math.floor(alpha / least_p(n)) * least_p(n)


def power(effect: float, sd: float, n: int, alpha: float) -> float:
    """The probability that the two-sided paired test finds a mean difference of `effect`, at the attainable `alpha`.

    `sd` is the deviation of the differences, in the unit of `effect`. It is the power of the t test, by the noncentral
    t distribution (Cohen 1988, "Statistical power analysis"), to which `sign_flip_p` comes within 3 points; where alpha
    leaves it so few assignments that it falls behind by up to 20, its own, by simulation.
    """
    level = attainable_alpha(alpha, n)
    if level == 0:
        return 0.0
    if sd == 0:
        return float(effect != 0)
    if level < (_FEW + 1) * least_p(n) and n <= EXACT_UP_TO:
        return _sign_flip_power(abs(effect) / sd, n, round(level / least_p(n)))
    shift = effect / sd * math.sqrt(n)
    return _passes(shift, n, level / 2) + _passes(-shift, n, level / 2)


def _sign_flip_power(effect: float, n: int, assignments: int) -> float:
    """The share of n normal differences of mean `effect` and deviation 1 whose sum so few assignments reach.

    Flipping a sign takes twice its size from the sum of all sizes. So those assignments reach the observed sum whose
    flipped sizes add up to no more than those of the rarer sign; where they are few, they flip but the smallest sizes.
    """
    samples = effect + _noise(n)  # (draws, n)
    rarer = np.minimum(np.maximum(samples, 0).sum(axis=1), np.maximum(-samples, 0).sum(axis=1))  # (draws,)
    smallest = np.sort(np.abs(samples), axis=1)[:, :assignments]  # (draws, s)
    flips = np.arange(2 ** smallest.shape[1])[:, None] >> np.arange(smallest.shape[1]) & 1  # (2^s, s)
    reached = (smallest @ flips.T <= rarer[:, None] + 1e-9).sum(axis=1)  # (draws,)
    return float((reached <= assignments).mean())


@lru_cache(maxsize=EXACT_UP_TO)
def _noise(n: int) -> NDArray[np.float64]:
    """Normal differences of mean 0, (draws, n): the same for each effect, so that power grows with it."""
    return np.random.default_rng(n).normal(size=(_DRAWS, n))


def detectable_effect(sd: float, n: int, alpha: float, target: float = 0.8) -> float:
    """The smallest effect, in the unit of `sd`, that n pairs find with the power `target`; infinite if none can be."""
    if attainable_alpha(alpha, n) == 0:
        return math.inf
    return sd * _detectable(n, alpha, target)


@lru_cache(maxsize=256)
def _detectable(n: int, alpha: float, target: float) -> float:
    return reaches(lambda effect: power(effect, 1, n, alpha), target)


def seeds_needed(effect: float, sd: float, alpha: float, target: float = 0.8) -> int | None:
    """The smallest number of pairs, 2 or more, that finds `effect` with the power `target`.

    `effect` and `sd` are in one unit. None if a million are too few, as for an effect of 0.
    """
    return _least(lambda n: power(effect, sd, n, alpha), target)


def equivalence_power(effect: float, sd: float, n: int, margin: float, alpha: float) -> float:
    """The probability that `equivalence_p` is at most `alpha` for n pairs whose true mean difference is `effect`.

    `effect`, `sd` and `margin` are in one unit. It is 1 less the probabilities that either one-sided test fails, by the
    noncentral t distribution (Julious 2004, "Sample sizes for clinical trials with normal data"). Both can fail at
    once, so that the true power is no less; where it is of use it is the same.
    """
    if n < 2:  # noqa: PLR2004 - one pair has no deviation
        return 0.0
    if sd == 0:
        return float(abs(effect) < margin)
    unit = sd / math.sqrt(n)
    both = sum(_passes((margin + side) / unit, n, alpha) for side in (effect, -effect)) - 1
    return max(both, 0.0)


def seeds_for_equivalence(effect: float, sd: float, margin: float, alpha: float, target: float = 0.8) -> int | None:
    """The smallest number of pairs, 2 or more, that shows equivalence within `margin` with the power `target`.

    `effect`, `sd` and `margin` are in one unit. None if a million are too few, as for an effect that is no smaller than
    the margin.
    """
    return _least(lambda n: equivalence_power(effect, sd, n, margin, alpha), target)


def _least(found: Callable[[int], float], target: float) -> int | None:
    """The smallest number of pairs whose power reaches the target.

    Halving finds it, because power grows with n: each attainable alpha of n pairs is one of n + 1 pairs too.
    """
    candidates = range(2, _MOST_SEEDS + 1)
    place = bisect_left(candidates, target, key=found)
    return candidates[place] if place < len(candidates) else None


def _passes(shift: float, n: int, level: float) -> float:
    """The probability that one of the one-sided t tests rejects at `level`, its statistic being shifted by `shift`."""
    bound = float(stdtrit(n - 1, level))  # < 0
    if abs(shift) > 10 * (1 - bound):  # certain to fifteen digits, and SciPy would take seconds
        return float(shift > 0)
    tail = float(nctdtr(n - 1, -shift, bound))
    return 0.0 if math.isnan(tail) and shift < 0 else tail  # SciPy 1.17 has NaN for some tails below 1e-13
