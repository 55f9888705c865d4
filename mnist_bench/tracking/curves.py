"""Learning curves, read from MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlflow.entities import Run

    from mnist_bench.tracking.store import Store

__all__ = ["EPOCH_METRICS", "read_curves", "read_history"]

# What a run may have recorded of each epoch; without a validation part it lacks two of them.
EPOCH_METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "epoch_seconds")


def read_curves(store: Store, run_ids: Iterable[str], metric: str) -> dict[str, list[float]]:
    """A metric of each run, by run id: a figure an epoch, the first epoch first.

    Raises:
        StoreError: a run has recorded no such metric, or the store doesn't answer.
    """
    with store.answering():
        return {run_id: _curve(store, run_id, metric) for run_id in run_ids}


def read_history(store: Store, run: Run) -> list[dict[str, float]]:
    """All that a run has recorded of its epochs: a mapping an epoch, as `RunResult.history` has them.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        curves = {
            metric: _curve(store, run.info.run_id, metric) for metric in EPOCH_METRICS if metric in run.data.metrics
        }
    return [dict(zip(curves, epoch, strict=True)) for epoch in zip(*curves.values(), strict=True)]


def _curve(store: Store, run_id: str, metric: str) -> list[float]:
    points = store.client.get_metric_history(run_id, metric)
    if not points:
        raise StoreError(f"run {run_id} has no {metric}: a recipe with validation = 0 holds nothing out to see it by")
    return [point.value for point in sorted(points, key=lambda point: point.step)]
