"""What learning curves say: a figure an epoch, the first epoch first, all of them finite."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mnist_bench.analysis.pairing import FEWEST
from mnist_bench.analysis.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    Curves = Sequence[Sequence[float]]  # one a seed; runs that stopped early have shorter ones

__all__ = ["band", "best_epoch", "epoch_of_least", "epoch_that_reaches", "overfits_from"]


def epoch_that_reaches(curve: Sequence[float], value: float) -> int | None:
    """The first epoch, counted from 1, whose figure is at least `value`; None if there is none."""
    return next((epoch for epoch, figure in enumerate(curve, start=1) if figure >= value), None)


def epoch_of_least(curve: Sequence[float]) -> int:
    """The epoch, counted from 1, with the least figure; the first of equals.

    Raises:
        ValueError: the curve has no epochs.
    """
    return min(range(len(curve)), key=curve.__getitem__) + 1


def band(curves: Curves) -> pd.DataFrame:
    """Curves over the seeds: a row an epoch, counted from 1, with mean, low and high (the extreme seeds)."""
    # (epochs, seeds), NaN after a run's end
    table = pd.DataFrame(
        {seed: pd.Series(curve).set_axis(range(1, len(curve) + 1)) for seed, curve in enumerate(curves)}
    )
    return pd.DataFrame({"mean": table.mean(axis=1), "low": table.min(axis=1), "high": table.max(axis=1)})


def best_epoch(losses: Curves) -> int:
    """The epoch, counted from 1, at which the loss is least in the mean of the seeds, where all runs still train."""
    return epoch_of_least(list(_common(losses).mean(axis=0)))


def overfits_from(losses: Curves) -> int | None:
    """The epoch, counted from 1, from which to the last the validation loss is shown to be above its least.

    For each seed the least is where the other seeds have it: where its own is least luck would have a part in. The
    rises from there, one a seed, have a 95% interval by Student's t, which has to lie above 0 at that epoch and at all
    after it. None where no epoch is such, and with one seed. Epochs that not all runs got to don't count.
    Where losses only scatter it is found in 1 of 15 cases.
    """
    common = _common(losses)  # (seeds, epochs)
    if len(common) < FEWEST:
        return None
    least = (common.sum(axis=0) - common).argmin(axis=1)  # (seeds,), by the others
    rises = common - np.take_along_axis(common, least[:, None], axis=1)  # (seeds, epochs)
    risen = [mean_interval(rise).low > 0 for rise in rises.T]
    tail = len([*takewhile(bool, reversed(risen))])
    return len(risen) - tail + 1 if tail else None


def _common(curves: Curves) -> np.ndarray:
    """The epochs that all curves have, (seeds, epochs)."""
    shortest = min(map(len, curves))
    return np.array([curve[:shortest] for curve in curves])
