"""Learning-rate schedules, as one array of rates for all steps of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mnist_bench.specs import Recipe

__all__ = ["learning_rates"]

_WARM_UP = 0.3  # of all steps; this and the two below as in Smith, "Super-convergence" (2018), and fastai
_START = 1 / 25  # of the peak
_END = 1e-5  # of the peak


def learning_rates(recipe: Recipe, steps: int) -> np.ndarray:
    """The rate of each of a run's `steps`: float32 (steps,), with `recipe.learning_rate` as its peak."""
    progress = np.arange(steps) / max(1, steps - 1)  # 0 at the first step, 1 at the last
    match recipe.schedule:
        case "constant":
            shape = np.ones(steps)
        case "cosine":
            shape = _cosine(1.0, 0.0, progress)
        case "one_cycle":
            up = _cosine(_START, 1.0, progress / _WARM_UP)
            down = _cosine(1.0, _END, (progress - _WARM_UP) / (1 - _WARM_UP))
            shape = np.where(progress < _WARM_UP, up, down)
    return (recipe.learning_rate * shape).astype(np.float32)


def _cosine(start: float, end: float, progress: np.ndarray) -> np.ndarray:
    """From `start` to `end` along half a cosine."""
    return end + (start - end) * (1 + np.cos(np.pi * progress)) / 2
