"""Tests of the differences between two variants, paired by seed."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, overload

import numpy as np
from scipy.special import ndtr, stdtr

from mnist_bench.errors import ComparisonError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
    Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

__all__ = ["EXACT_UP_TO", "SAMPLED", "differences", "equivalence_p", "holm", "sign_flip_p", "t_test_p"]

EXACT_UP_TO = 16  # pairs: 32,768 assignments, half of them all, take milliseconds
SAMPLED = 100_000  # assignments beyond: p = 0.05 is known to ±0.0007 (one standard error)
EVEN = 0.01  # the fourth powers' share that leaves a sum of random signs normal: p is then known to ±0.0005
_AT_ONCE = 4_000_000  # sums held in memory: 32 MB
_NAMED = 5  # seeds in a message


def differences(variant: Mapping[int, float], against: Mapping[int, float]) -> Vector:
    """`variant` minus `against`, figures by seed, in the order of the seeds; (n,), in their unit.

    Raises:
        ComparisonError: a seed has a figure on one side only or a NaN, or there are fewer than two pairs.
    """
    if alone := sorted(variant.keys() ^ against.keys()):
        raise ComparisonError(
            f"{_seeds(alone)} finished on one side only: run the suite again, it trains what is missing"
        )
    if len(variant) < 2:  # noqa: PLR2004 - one difference has no deviation
        raise ComparisonError(
            f"a comparison needs two seeds, there is {len(variant)}: run the suite with more (--seeds)"
        )
    paired = np.array([variant[seed] - against[seed] for seed in sorted(variant)])
    if missing := [seed for seed, nan in zip(sorted(variant), np.isnan(paired), strict=True) if nan]:
        raise ComparisonError(
            f"{_seeds(missing)} recorded NaN for this figure: leave it out on both sides, or compare another"
        )
    return paired


def _seeds(seeds: list[int]) -> str:
    """The subject of a message: which seeds, the first few of them."""
    named = ", ".join(map(str, seeds[:_NAMED]))
    more = f" and {len(seeds) - _NAMED} more" if len(seeds) > _NAMED else ""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {named}{more}"


@overload
def sign_flip_p(differences: Vector) -> float: ...
@overload
def sign_flip_p(differences: Matrix) -> Vector: ...
def sign_flip_p(differences: Vector | Matrix) -> float | Vector:
    """The two-sided p of a mean of 0 by flipping signs: (n,) gives one, k samples of n, (k, n), give (k,).

    The share of the 2^n assignments of signs whose sum is at least as far from 0 as the observed one (Fisher 1935, "The
    design of experiments", section 21); all of them up to 16 pairs, beyond that a seeded sample of 100,000, with
    p = (1 + count) / (1 + 100,000) (Phipson & Smyth 2010). Of some hundreds of pairs all assignments of the 16 largest
    count, and the rest by the normal distribution that their sum then has.

    Raises:
        ValueError: a difference is NaN, or a sample has fewer than two.
    """
    samples = _samples(differences)  # (k, n)
    even = _evenly_spread(samples)  # (k,)
    p = np.empty(len(samples))
    for which, test in ((even, _normal_p), (~even, _counted_p)):
        if which.any():
            p[which] = test(samples[which])
    return _like(differences, p)


def _evenly_spread(samples: Matrix) -> NDArray[np.bool_]:
    """Whether of each sample, (k,), all but the 16 largest are so many and so alike that their sum is normal.

    The excess kurtosis of a sum of random signs is -2 Σx⁴ / (Σx²)², and its skewness 0.
    """
    squares = np.sort(samples**2, axis=1)[:, :-EXACT_UP_TO]  # (k, n - 16)
    even: NDArray[np.bool_] = (squares**2).sum(axis=1) < EVEN * squares.sum(axis=1) ** 2
    return even


def _normal_p(samples: Matrix) -> Vector:
    """The share of sums at least as far from 0, (k,): exact in the 16 largest differences, normal in the others."""
    ordered = np.sort(np.abs(samples), axis=1)  # (k, n)
    sd = np.sqrt((ordered[:, :-EXACT_UP_TO] ** 2).sum(axis=1))  # (k,)
    sums = ordered[:, -EXACT_UP_TO:] @ _signs(EXACT_UP_TO).T  # (k, 32768): the other half mirrors them
    # Sums of whole images are twice the least difference apart: half a step belongs to the observed one.
    step = np.where(ordered > 0, ordered, np.inf).min(axis=1)
    bounds = np.maximum(np.abs(samples.sum(axis=1)) - step, 0)  # (k,)
    tails = ndtr((sums - bounds[:, None]) / sd[:, None]) + ndtr((-sums - bounds[:, None]) / sd[:, None])
    p: Vector = tails.mean(axis=1)
    return p


def _counted_p(samples: Matrix) -> Vector:
    """The share of sums at least as far from 0, (k,), counted over all assignments, or over a sample of them."""
    k, n = samples.shape
    signs = _signs(n)
    # Sums that are equal on paper differ in the last digits.
    bounds = np.abs(samples.sum(axis=1)) - 1e-9 * np.abs(samples).sum(axis=1)  # (k,)
    counts = np.zeros(k)
    rows = max(1, _AT_ONCE // max(k, n))
    for start in range(0, len(signs), rows):
        sums = signs[start : start + rows].astype(float) @ samples.T  # (rows, k)
        counts += (np.abs(sums) >= bounds).sum(axis=0)
    p: Vector = counts / len(signs) if n <= EXACT_UP_TO else (1 + counts) / (1 + SAMPLED)
    return p


@lru_cache(maxsize=8)
def _signs(n: int) -> NDArray[np.int8]:
    """Assignments of n signs, (m, n): those whose last sign is +, since the others mirror them, or a sample of all."""
    if n > EXACT_UP_TO:
        return np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (SAMPLED, n))
    flipped = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1  # (m, n): the digits of 0, 1, 2, … in base 2
    return (1 - 2 * flipped).astype(np.int8)


@overload
def t_test_p(differences: Vector) -> float: ...
@overload
def t_test_p(differences: Matrix) -> Vector: ...
def t_test_p(differences: Vector | Matrix) -> float | Vector:
    """The two-sided p of a mean of 0 by Student's t: (n,) gives one, k samples of n, (k, n), give (k,).

    Without any deviation it is 0, or 1 if the mean is 0.

    Raises:
        ValueError: a difference is NaN, or a sample has fewer than two.
    """
    samples = _samples(differences)
    return _like(differences, np.minimum(1, 2 * _lower_tail(samples, -np.abs(samples.mean(axis=1)))))


@overload
def equivalence_p(differences: Vector, margin: float) -> float: ...
@overload
def equivalence_p(differences: Matrix, margin: float) -> Vector: ...
def equivalence_p(differences: Vector | Matrix, margin: float) -> float | Vector:
    """The p of a mean outside ±`margin` (same unit): (n,) gives one, k samples of n, (k, n), give (k,).

    The larger p of two one-sided t tests, of a mean below -margin and above margin (Schuirmann 1987). Without any
    deviation it is 0 if the mean is within the margin, else 1.

    Raises:
        ValueError: a difference is NaN, or a sample has fewer than two.
    """
    samples = _samples(differences)
    return _like(differences, _lower_tail(samples, np.abs(samples.mean(axis=1)) - margin))


def _lower_tail(samples: Matrix, distances: Vector) -> Vector:
    """P(T <= distance / standard error), (k,), of samples (k, n); 1 where both are 0."""
    n = samples.shape[1]
    alike = np.ptp(samples, axis=1) == 0  # the deviation of equal numbers need not come out as 0
    errors = np.where(alike, 0, samples.std(axis=1, ddof=1) / math.sqrt(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Rounded, so that a mean at the margin does not count as within it.
        tails: Vector = np.nan_to_num(stdtr(n - 1, np.round(distances, 12) / errors), nan=1.0)
    return tails


def holm(p_values: ArrayLike) -> Vector:
    """The p-values of m tests, (m,), adjusted for their number, in the order given (Holm 1979); none give none.

    Raises:
        ValueError: a p-value is NaN.
    """
    p = np.asarray(p_values, dtype=float)  # (m,)
    if np.isnan(p).any():
        raise ValueError("a NaN among p-values has no place in their order")
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def _samples(differences: Vector | Matrix) -> Matrix:
    """The samples as rows, (k, n), checked."""
    samples = np.atleast_2d(np.asarray(differences, dtype=float))
    if np.isnan(samples).any():
        raise ValueError("a sample with NaN can't be tested")
    if samples.shape[1] < 2:  # noqa: PLR2004 - one difference has no deviation
        raise ValueError("a test needs two differences")
    return samples


def _like(differences: Vector | Matrix, p: Vector) -> float | Vector:
    """One number for one sample."""
    return float(p[0]) if np.ndim(differences) == 1 else p
