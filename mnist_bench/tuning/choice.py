"""What a search's trials say: the best, the simplest that is as good, and where more layers and units stop helping."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.analysis.words import p_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mnist_bench.tuning.study import Tried

__all__ = ["ALPHA", "FEWEST", "Level", "Saturation", "ranked", "saturations", "simplest", "standard_error"]

ALPHA = 0.05
FEWEST = 4  # trials on each side: with fewer no rank test gets far below 5%


def ranked(trials: Sequence[Tried]) -> list[Tried]:
    """The finished ones, best first: by validation accuracy, then by validation loss."""
    finished = [trial for trial in trials if trial.result.finished]
    return sorted(finished, key=lambda trial: (-trial.accuracy, trial.loss))


def standard_error(accuracy: float, images: int) -> float:
    """Of an accuracy in [0, 1] measured on so many images: √(a(1 - a) / n). The noise of training isn't in it."""
    return math.sqrt(accuracy * (1 - accuracy) / images)


def simplest(trials: Sequence[Tried], images: int) -> Tried | None:
    """Of the trials within one standard error of the best, the one with the fewest parameters; None if none finished.

    The rule of Breiman et al., "Classification and Regression Trees" (1984), over so many validation images.
    """
    order = ranked(trials)
    if not order:
        return None
    least = order[0].accuracy - standard_error(order[0].accuracy, images)
    return min((trial for trial in order if trial.accuracy >= least), key=lambda trial: trial.parameters)


@dataclass(frozen=True)
class Level:
    """The trials that have so many layers, or such widths."""

    value: int
    losses: tuple[float, ...]  # validation loss of each


@dataclass(frozen=True)
class Saturation:
    """Whether more of something still lowers the validation loss.

    `point` is the first level beyond which the trials' losses are not significantly lower: one-sided Mann-Whitney tests
    of each level against all above it, from the lowest up, each at 5%, until one says no. In such a fixed order none
    needs correction. None where the last test still says yes, or where there are too few trials for any. A level with
    too few trials, or with too few above it, isn't tested.
    """

    factor: str  # `filters: layers`, say
    levels: tuple[Level, ...]  # in ascending order
    point: int | None
    tested: int | None  # the last level that was tested
    p: float  # of that test; NaN without any

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.tested is None:
            return f"{self.factor}: too few trials to tell where more stops helping"
        if self.point is None:
            falls = f"{self.factor}: validation loss still falls beyond {self.tested} ({p_value(self.p)})"
            if self.tested == self.levels[-2].value:
                return f"{falls}, towards {self.levels[-1].value}, the most that was tried: widen the space"
            return f"{falls}; there are too few trials to tell where it stops"
        here = sum(len(level.losses) for level in self.levels if level.value == self.point)
        above = sum(len(level.losses) for level in self.levels if level.value > self.point)
        below = [level.value for level in self.levels if level.value < self.point and len(level.losses) < FEWEST]
        untested = f"; too few trials of {', '.join(map(str, below))} to be tested" if below else ""
        return (
            f"{self.factor}: from {self.point} on, more brings no significant decrease of validation loss "
            f"({p_value(self.p)}, {here} trials there and {above} above{untested})"
        )


def saturations(trials: Sequence[Tried]) -> list[Saturation]:
    """For each list among the options (`filters`, `widths`): its number of layers, and their widths in powers of two.

    Finished trials alone. They differ in other things too, a sampler that learns draws the better ones more often, and
    of a bad level a pruner leaves the lucky ones or none: a search by `random` without pruner is the fairer witness.
    """
    losses: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for trial in ranked(trials):
        for factor, value in _factors(trial):
            losses[factor][value].append(trial.loss)
    found = [_saturation(factor, levels) for factor, levels in losses.items() if len(levels) > 1]
    return sorted(found, key=lambda saturation: saturation.factor)


def _factors(trial: Tried) -> Iterator[tuple[str, int]]:
    for name, value in trial.result.spec.options.items():
        if isinstance(value, list):
            yield f"{name}: layers", len(value)
            if value:
                width = sum(math.log2(units) for units in value) / len(value)  # of the geometric mean
                yield f"{name}: width", 2 ** round(width)


def _saturation(factor: str, losses: dict[int, list[float]]) -> Saturation:
    levels = tuple(Level(value, tuple(losses[value])) for value in sorted(losses))
    tested, p = None, math.nan
    for place, level in enumerate(levels[:-1]):
        above = [loss for higher in levels[place + 1 :] for loss in higher.losses]
        if min(len(level.losses), len(above)) >= FEWEST:
            tested, p = level.value, _p_lower(above, level.losses)
            if p > ALPHA:
                return Saturation(factor, levels, tested, tested, p)
    return Saturation(factor, levels, None, tested, p)


def _p_lower(above: Sequence[float], here: Sequence[float]) -> float:
    """The p of losses `above` that are not lower than those `here`."""
    from scipy.stats import mannwhitneyu  # noqa: PLC0415 - takes a second, and not every command searches

    return float(mannwhitneyu(np.array(above), np.array(here), alternative="less").pvalue)
