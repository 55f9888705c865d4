"""The Pareto front: what nothing beats in both of two things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["pareto_front"]


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> NDArray[np.bool_]:
    """Which points are on the front, (n,): none other costs as little and gains as much, with one of them better.

    Equals are all on it, or none. A point with NaN is not.
    """
    cost, gain = np.asarray(costs, dtype=float), np.asarray(gains, dtype=float)  # (n,)
    as_good = (cost[:, None] <= cost) & (gain[:, None] >= gain)  # (n, n): the first beats or equals the second
    better = (cost[:, None] < cost) | (gain[:, None] > gain)
    return np.asarray(~(as_good & better).any(axis=0) & ~np.isnan(cost) & ~np.isnan(gain))
