"""Which trial comes next, and which are pruned: Optuna's samplers and pruners by their names here."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler

from mnist_bench.training.streams import stream_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optuna.trial import FrozenTrial

    from mnist_bench.tuning.space import Space

__all__ = ["PRUNERS", "SAMPLERS", "Grid", "make_pruner", "make_sampler"]

SAMPLERS = ("tpe", "random", "grid", "cmaes")
PRUNERS = ("median", "hyperband", "none")

_SEED = 0  # what is drawn is the same in every search that has tried the same
_SHARE_UNPRUNED = 4  # a quarter of the epochs: moving averages (BatchNorm's) lag behind at first


def make_sampler(name: str, trials: int) -> BaseSampler:
    """The sampler of that name, for a study with so many trials.

    Samplers' states are not stored, so one that is resumed would draw again what it drew first: each trial has its own
    seed instead.
    """
    seed = stream_seed(_SEED, "draw", trials)
    match name:
        case "tpe":
            return TPESampler(seed=seed)
        case "cmaes":
            # What it can't draw itself (choices, widths of layers that not all have) is drawn independently.
            return CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case "random" | "grid":
            return RandomSampler(seed=seed)
    raise ValueError(f"no sampler {name!r}")


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


class Grid:
    """All points of a space, in an order of no meaning, so that a part of them is a sample of all.

    Not Optuna's `GridSampler`, whose points all have the same parameters, nor its `BruteForceSampler`: both stop the
    study, which can't be stopped where one asks and tells.
    """

    def __init__(self, space: Space) -> None:
        self._points: Sequence[dict[str, Any]] = space.grid()
        random.Random(_SEED).shuffle(self._points)  # type: ignore[arg-type]  # noqa: S311 - no secret  # a list

    def next(self, trials: Iterable[FrozenTrial]) -> dict[str, Any] | None:
        """A point that is not among `trials`; None if all are."""
        drawn = {_key(trial.params) for trial in trials}
        return next((point for point in self._points if _key(point) not in drawn), None)


def _key(point: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(point.items()))
