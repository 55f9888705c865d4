"""Which trial comes next, and which are pruned: Optuna's samplers and pruners by their names here."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler

from mnist_bench.training.streams import stream_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

    from mnist_bench.tuning.space import Space

__all__ = ["PRUNERS", "SAMPLERS", "Draws", "make_pruner"]

SAMPLERS = ("tpe", "random", "grid", "cmaes")
PRUNERS = ("median", "hyperband", "none")

# What is drawn is the same in every search that has tried the same. Five: its first draws happen to be spread; with 0
# the first eight networks would all have the most layers.
_SEED = 5
_SHARE_UNPRUNED = 4  # a quarter of the epochs: moving averages (BatchNorm's) lag behind at first


def make_pruner(name: str, epochs: int) -> BasePruner:
    """The pruner of that name, for trials of so many epochs."""
    match name:
        case "median":
            return MedianPruner(n_startup_trials=5, n_warmup_steps=1 + epochs // _SHARE_UNPRUNED)
        case "hyperband":
            return HyperbandPruner(min_resource=1, max_resource=epochs)
        case "none":
            return NopPruner()
    raise ValueError(f"no pruner {name!r}")


class Draws:
    """What is drawn for the trials of a study, one by one, by the sampler called `name`.

    Raises:
        SpaceError: `name` is `grid`, and the space has none.
    """

    def __init__(self, name: str, space: Space) -> None:
        self._name = name
        self._default = space.default()
        self._grid: list[dict[str, Any]] | None = None
        if name == "grid":
            # Not Optuna's `GridSampler`, whose points all have the same parameters, nor its `BruteForceSampler`: both
            # stop the study, which can't be stopped where one asks and tells.
            self._grid = space.grid()
            random.Random(_SEED).shuffle(self._grid)  # noqa: S311 - so that a part of the grid is a sample of it
            self._grid.sort(key=lambda point: point != self._default)  # it comes first

    def sampler(self, trials: int, salt: str = "") -> BaseSampler:
        """The sampler for the next trial of a study that has so many.

        Samplers' states are not stored, so one that is resumed would draw again what it drew first: each trial has its
        own seed instead. With a `salt` of its own, a search draws otherwise than another one beside it.
        """
        seed = stream_seed(_SEED, "draw", salt, trials)
        match self._name:
            case "tpe":
                return TPESampler(seed=seed)
            case "cmaes":
                # What it can't draw itself (choices, widths of layers that not all have) is drawn independently.
                return CmaEsSampler(seed=seed, warn_independent_sampling=False)
            case _:
                return RandomSampler(seed=seed)

    def fixed(self, trials: Sequence[FrozenTrial]) -> dict[str, Any] | None:
        """What isn't left to the sampler, after `trials`; None if a grid has no other point.

        The first is the architecture's default, where the space has it: what is found is to be better than that. Of a
        grid every point is fixed.
        """
        if self._grid is None:
            return {} if trials or self._default is None else self._default
        drawn = {_key(trial.params) for trial in trials}
        return next((point for point in self._grid if _key(point) not in drawn), None)


def _key(point: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(point.items()))
