"""What is recorded, as tables: from the database where it can be read, from MLflow's client otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.tracking.translation import ENDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import Run

    from mnist_bench.tracking.store import Store

__all__ = ["Recorded", "Tables", "recorded", "tables"]

_TAGS = {"mlflow.parentRunId": "parent", "run_key": "run_key", "seed": "seed", "cause": "cause"}
_INFO = ("run_id", "status", "start_time", "end_time")
_EPOCHS = "recipe.epochs"


@dataclass(frozen=True)
class Recorded:
    """An experiment."""

    id: str
    name: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Tables:
    """The runs of an experiment that are not deleted.

    `runs`, a row for each run of one seed that finished or failed, the latest start first: run_id, status, start_time
    and end_time (milliseconds since 1970), parent (its run id), run_key, seed, cause, and a column a metric with its
    last value.
    """

    parents: Mapping[str, Mapping[str, str]]  # by run id: their tags, and `recipe.epochs`
    runs: pd.DataFrame


def recorded(store: Store) -> list[Recorded]:
    """All experiments that are not deleted.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        if store.database:
            return [Recorded(*found) for found in store.database.experiments()]
        return [Recorded(str(found.experiment_id), found.name, found.tags) for found in store.experiments()]


def tables(store: Store, experiment: str, metrics: Sequence[str] | None = None) -> Tables:
    """The runs of an experiment; with `metrics` only these, where reading all takes longer.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        if store.database:
            parents = store.database.tagged(experiment, "role", [_EPOCHS])
            runs = store.database.ended(experiment, list(_TAGS), metrics).rename(columns=_TAGS)
        else:
            every = store.runs(experiment)
            parents = {run.info.run_id: _parent(run) for run in every if "role" in run.data.tags}
            ended = [_row(run) for run in every if run.info.status in ENDED]
            runs = pd.DataFrame(ended, columns=None if ended else [*_INFO, *_TAGS.values()])
    return Tables(parents, runs[runs["run_key"].notna()].reset_index(drop=True))


def _parent(run: Run) -> dict[str, str]:
    return run.data.tags | {name: value for name, value in run.data.params.items() if name == _EPOCHS}


def _row(run: Run) -> dict[str, object]:
    tags = {name: run.data.tags.get(tag) for tag, name in _TAGS.items()}
    return {name: getattr(run.info, name) for name in _INFO} | tags | run.data.metrics
