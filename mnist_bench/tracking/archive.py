"""All that was recorded of suites, as rows of tidy tables: `runs`, `settings`, `curves` and `confusion`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mnist_bench.tracking import provenance
from mnist_bench.tracking.confusion import read_confusion
from mnist_bench.tracking.curves import read_history
from mnist_bench.tracking.reader import planned_suites, read_suite
from mnist_bench.tracking.translation import ENDED, experiment_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow.entities import Run
    from numpy.typing import NDArray

    from mnist_bench.tracking.store import Store

__all__ = ["read_archive"]

Rows = list[dict[str, Any]]

_FIGURES = ("test_accuracy", "test_loss", "parameters", "epochs", "kept_epoch", "train_seconds")
_TAGS = {name: name for name in ("run_key", "variant_key", "cause")} | provenance.TAGS


def read_archive(store: Store, suite: str | None = None, dataset: str | None = None) -> dict[str, Rows]:
    """Every run that has ended, of all suites, or of `suite`, or on `dataset` alone, whatever edition it is of.

    Returns:
        rows by table: `runs`, one a run; `settings`, one a setting of a variant; `curves`, one a metric an epoch a run;
        `confusion`, one a cell of a finished run's confusion matrix.

    Raises:
        StoreError: nothing is recorded of them, a run's file is missing, or the store doesn't answer.
    """
    tables: dict[str, Rows] = {"runs": [], "settings": [], "curves": [], "confusion": []}
    for name, on in planned_suites(store, suite, dataset):
        counted = read_suite(store, name, on).runs
        pairs = dict(zip(counted["run_id"], counted["pair"], strict=True))
        seen: set[str] = set()
        runs = _ended(store, name, on)
        matrices = {run.info.run_id: read_confusion(store, run) for run in runs if run.info.status == "FINISHED"}
        for run in runs:
            labels = _labels(run)
            tables["runs"].append(labels | _run_row(run, pairs))
            tables["curves"] += [labels | point for point in _points(store, run)]
            tables["confusion"] += [labels | cell for cell in _cells(matrices.get(run.info.run_id))]
            key = run.data.tags["variant_key"]
            if key not in seen:
                seen.add(key)
                about = {"suite": name, "dataset": on, "variant": labels["variant"], "variant_key": key}
                tables["settings"] += [about | {"setting": s, "value": v} for s, v in sorted(run.data.params.items())]
    return tables


def _ended(store: Store, suite: str, dataset: str) -> list[Run]:
    with store.answering():
        experiment = store.client.get_experiment_by_name(experiment_name(suite, dataset))
        runs = store.runs(experiment.experiment_id) if experiment else []
    ended = [run for run in runs if "run_key" in run.data.tags and run.info.status in ENDED]
    return sorted(ended, key=lambda run: (run.data.tags["variant"], int(run.data.tags["seed"]), run.info.start_time))


def _labels(run: Run) -> dict[str, Any]:
    tags = run.data.tags
    labels: dict[str, Any] = {name: tags[name] for name in ("suite", "dataset", "variant")}
    return labels | {"seed": int(tags["seed"]), "run_id": run.info.run_id}


def _run_row(run: Run, pairs: Mapping[str, int]) -> dict[str, Any]:
    return {
        "state": run.info.status.lower(),
        "counts": run.info.run_id in pairs,
        "pair": pairs.get(run.info.run_id),
        "started_at": pd.Timestamp(run.info.start_time, unit="ms", tz="UTC"),
        "seconds": (run.info.end_time - run.info.start_time) / 1000,
        **{name: run.data.metrics.get(name) for name in _FIGURES},
        **{name: run.data.tags.get(tag) for name, tag in _TAGS.items()},
    }


def _points(store: Store, run: Run) -> Iterator[dict[str, Any]]:
    for epoch, figures in enumerate(read_history(store, run), start=1):
        for metric, value in figures.items():
            yield {"epoch": epoch, "metric": metric, "value": value}


def _cells(matrix: NDArray[np.int64] | None) -> Iterator[dict[str, Any]]:
    """The cells of a finished run's matrix; a failed one has none."""
    if matrix is not None:
        for (truth, prediction), images in np.ndenumerate(matrix):
            yield {"true_class": truth, "predicted_class": prediction, "images": int(images)}
