"""All that is known of a suite, gathered for its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.analysis.curves import band, best_epoch, overfits_from
from mnist_bench.analysis.leaderboard import failed_runs, leaderboard
from mnist_bench.analysis.mistakes import mean_confusion, most_often_wrong
from mnist_bench.tracking.confusion import read_confusion
from mnist_bench.tracking.curves import read_curves
from mnist_bench.tracking.predictions import read_predictions
from mnist_bench.tracking.provenance import provenance
from mnist_bench.tracking.recorded import finished_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from mlflow.entities import Run
    from numpy.typing import NDArray

    from mnist_bench.tracking import Store
    from mnist_bench.tracking.reader import Suite

__all__ = ["Evidence", "Learning", "Mistakes", "find_mistakes", "gather"]

_METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
_LISTED = 25  # images


@dataclass(frozen=True, eq=False)
class Learning:
    """How a variant learns, over its finished runs."""

    runs: int
    bands: Mapping[str, pd.DataFrame]  # by metric, see `analysis.curves.band`; no val_… where nothing is held out
    best: int | None  # the epoch of the least validation loss; None where nothing is held out
    overfits: int | None  # the epoch from which it is shown to have risen


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The test images that most runs get wrong: see `analysis.mistakes.most_often_wrong`."""

    table: pd.DataFrame
    images: NDArray[np.uint8]  # the whole test part, (n, height, width)
    runs: int


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was recorded of a suite, and what it comes to; of a variant without a finished run there is no more."""

    suite: Suite
    board: pd.DataFrame  # its leaderboard
    failed: pd.DataFrame  # its failed runs
    learning: Mapping[str, Learning]  # by variant, the baseline first
    confusions: Mapping[str, NDArray[np.float64]]  # by variant, in the mean of its runs
    provenance: pd.DataFrame  # of the finished runs: see `tracking.provenance`, and variant, seed, run_key
    records: Mapping[str, Run]  # MLflow's own of the finished runs, by run id


def gather(store: Store, suite: Suite) -> Evidence:
    """All that the store knows of a suite's runs.

    Raises:
        StoreError: a finished run's files can't be read, or the store doesn't answer.
    """
    finished = suite.runs[suite.runs["finished"].astype(bool)]
    by_variant = {name: finished[finished["variant"] == name] for name in suite.variants["variant"]}
    trained = {name: runs for name, runs in by_variant.items() if len(runs)}
    records = {run_id: finished_run(store, run_id) for run_id in finished["run_id"]}
    return Evidence(
        suite,
        leaderboard(suite),
        failed_runs(suite),
        {name: _learning(store, runs) for name, runs in trained.items()},
        {
            name: mean_confusion([read_confusion(store, records[run]) for run in runs["run_id"]])
            for name, runs in trained.items()
        },
        provenance(records.values()).merge(finished[["run_id", "variant", "seed", "run_key"]], on="run_id"),
        records,
    )


def find_mistakes(
    store: Store, evidence: Evidence, images: NDArray[np.uint8], truth: NDArray[np.int32]
) -> Mistakes | None:
    """The test images that the suite's runs most often get wrong; None where no run is finished.

    Args:
        store: what holds the predictions.
        evidence: whose runs.
        images: of the test part, (n, height, width).
        truth: their classes, (n,).

    Raises:
        StoreError: a run's predictions can't be read, or are of another number of images.
    """
    if not evidence.records:
        return None
    predicted = np.stack([read_predictions(store, run).predicted for run in evidence.records.values()])
    return Mistakes(most_often_wrong(predicted, truth, _LISTED), images, len(predicted))


def _learning(store: Store, runs: pd.DataFrame) -> Learning:
    known = [metric for metric in _METRICS if metric in runs and runs[metric].notna().all()]
    curves = {metric: [*read_curves(store, runs["run_id"], metric).values()] for metric in known}
    losses = curves.get("val_loss")
    return Learning(
        len(runs),
        {metric: band(each) for metric, each in curves.items()},
        best_epoch(losses) if losses else None,
        overfits_from(losses) if losses else None,
    )
