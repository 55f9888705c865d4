"""Looking at a comparison before all of its seeds have run, without more false verdicts."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from mnist_bench.analysis.statistics.roots import reaches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["nominal_levels", "overall_p"]

# Over [-1, 1]; with 16 of them, no level changes by 1e-12 of it.
_PANEL_NODES, _PANEL_WEIGHTS = np.polynomial.legendre.leggauss(10)


def nominal_levels(looks: Sequence[int], alpha: float) -> tuple[float, ...]:
    """The level for each look's two-sided p, so that under the null any of them rejects with probability `alpha`.

    `looks` are the numbers of pairs at which one looks, the last of them the most that are planned. `alpha` is spent
    as alpha · ln(1 + (e - 1) t), t being the share of the pairs (Lan & DeMets 1983, the function like Pocock's); the
    normal bounds follow one after another by recursive integration (Armitage, McPherson & Rowe 1969; Jennison &
    Turnbull 2000, chapter 19). As levels of p they serve the t and the sign-flip test too (the latter, section 3.8): in
    simulations of four to six looks, the first at 5 or 10 pairs, 4.2 to 5.3% of nulls are rejected for an alpha of 5%.

    Raises:
        ValueError: `looks` are none, not positive or not increasing, or `alpha` is not between 0 and 1.
    """
    if not looks or looks[0] < 1 or any(later <= earlier for earlier, later in pairwise(looks)):
        raise ValueError(f"looks must be increasing numbers of pairs, not {list(looks)}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, not {alpha}")
    return _levels(tuple(looks), alpha)


@lru_cache(maxsize=256)
def _levels(looks: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    times = np.array(looks) / looks[-1]  # (looks,)
    spending = np.diff(alpha * np.log1p(math.expm1(1) * times), prepend=0)
    steps = np.sqrt(np.diff(times, prepend=0))  # the deviation of what each look adds to the sum over the pairs
    levels = []
    places, masses = np.zeros(1), np.ones(1)  # where the sum may be while no look has rejected, and how probably
    for time, spend, step, finest in zip(times, spending, steps, np.minimum(steps, [*steps[1:], 1]), strict=True):
        bound = _bound(places, masses, step, spend)
        levels.append(2 * float(ndtr(-bound / math.sqrt(time))))
        after, weights = _grid(bound, finest)
        masses = weights * (_density((after[:, None] - places) / step) / step @ masses)  # (places after,)
        places = after
    return (float(spending[0]), *levels[1:])  # without the rounding: a p may be equal to it


def _bound(places: NDArray[np.float64], masses: NDArray[np.float64], step: float, spend: float) -> float:
    """What the sum exceeds, on either side, with the probability `spend` after a further step."""

    def missed(bound: float) -> float:
        outside = ndtr((places - bound) / step) + ndtr((-places - bound) / step)  # (places,)
        return -float(masses @ outside)

    return reaches(missed, -spend)


def _grid(bound: float, finest: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places within ±`bound` and their weights in an integral over what changes within the distance `finest`."""
    panels = math.ceil(bound / finest)
    half = bound / panels
    middles = half * (2 * np.arange(panels) + 1) - bound  # (panels,)
    return (middles[:, None] + half * _PANEL_NODES).ravel(), np.tile(half * _PANEL_WEIGHTS, panels)


def _density(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normal density."""
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def overall_p(p: float, looks: Sequence[int], look: int) -> float:
    """The two-sided `p` at one of the `looks`, by number from 0, counted for all of them.

    The least alpha by whose `nominal_levels` that look would reject ("repeated p-value", Jennison & Turnbull 2000,
    section 9.5); the same p where there is one look.
    """
    if len(looks) == 1:
        return p
    alphas, levels = _levels_by_alpha(tuple(looks), look)
    if p < levels[0]:
        return p / float(levels[0] / alphas[0])
    return 1.0 if p > levels[-1] else float(np.exp(np.interp(np.log(p), np.log(levels), np.log(alphas))))


@lru_cache(maxsize=64)
def _levels_by_alpha(looks: tuple[int, ...], look: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Alphas, and the levels of one look by each; a look's level grows with alpha so evenly that few are enough."""
    alphas = np.geomspace(1e-8, 0.9, 33)
    return alphas, np.array([nominal_levels(looks, float(alpha))[look] for alpha in alphas])
