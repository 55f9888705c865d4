"""Estimates with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit  # all that is needed of scipy.stats, which takes 0.9 s to import

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Interval", "mean_interval"]


@dataclass(frozen=True)
class Interval:
    """A mean, the bounds of its confidence interval, and the sample that they come from; in the sample's unit."""

    mean: float
    low: float
    high: float
    sd: float  # of the sample, with n - 1
    n: int


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of a sample and its interval by Student's t: mean ± t(n - 1) · sd / √n.

    With fewer than two values the bounds and the deviation are NaN; with none, the mean too.

    Raises:
        ValueError: a value is NaN.
    """
    sample = np.asarray(values, dtype=float)  # (n,)
    if np.isnan(sample).any():
        raise ValueError("a sample with NaN has no mean")
    n = len(sample)
    if n < 2:  # noqa: PLR2004 - one value has no deviation
        return Interval(float(sample[0]) if n else math.nan, math.nan, math.nan, math.nan, n)
    mean, sd = float(sample.mean()), float(sample.std(ddof=1))
    half_width = float(stdtrit(n - 1, (1 + confidence) / 2)) * sd / math.sqrt(n)
    return Interval(mean, mean - half_width, mean + half_width, sd, n)
