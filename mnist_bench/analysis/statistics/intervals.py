"""Estimates with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, stdtrit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["CONFIDENCE", "Interval", "expected_luck", "mean_interval"]

CONFIDENCE = 0.95  # of whatever interval is shown, unless it says otherwise


@dataclass(frozen=True)
class Interval:
    """A mean, the bounds of its confidence interval, and the sample that they come from; in the sample's unit."""

    mean: float
    low: float
    high: float
    sd: float  # of the sample, with n - 1
    n: int

    def within(self, margin: float) -> bool:
        """Whether all of it is closer to 0 than `margin`."""
        return max(abs(self.low), abs(self.high)) < margin


def mean_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The mean of a sample and its interval by Student's t: mean ± t(n - 1) · sd / √n.

    Of values that are all the same the bounds are the mean, exactly. With fewer than two values the bounds and the
    deviation are NaN; with none, the mean too.

    Raises:
        ValueError: a value is NaN.
    """
    sample = np.asarray(values, dtype=float)  # (n,)
    if np.isnan(sample).any():
        raise ValueError("a sample with NaN has no mean")
    n = len(sample)
    if n < 2:  # noqa: PLR2004 - one value has no deviation
        return Interval(float(sample[0]) if n else math.nan, math.nan, math.nan, math.nan, n)
    if (sample == sample[0]).all():  # their sum may round
        return Interval(float(sample[0]), float(sample[0]), float(sample[0]), 0.0, n)
    mean, sd = float(sample.mean()), float(sample.std(ddof=1))
    half_width = float(stdtrit(n - 1, (1 + confidence) / 2)) * sd / math.sqrt(n)
    return Interval(mean, mean - half_width, mean + half_width, sd, n)


def expected_luck(sd: float, count: int) -> float:
    """By how much the best of `count` equals is expected to be ahead of their mean by luck alone; in the unit of `sd`.

    The expected maximum of `count` independent normal deviates of mean 0: sd · ∫ Φ(x) - Φ(x)^count dx (Tippett 1925,
    "On the extreme individuals"); 0 for one.

    Raises:
        ValueError: `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"there is no best of {count}")
    below = ndtr(np.linspace(-12, 12, 2401))  # a sum over so fine a grid is the integral of so smooth a function
    return sd * float((below - below**count).sum()) * 24 / 2400
