"""Learning curves, read back as they were recorded."""

from __future__ import annotations

import pytest
from made_up import run_spec
from mlflow.entities import Metric
from tracking.recordings import record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.tracking.curves import read_curves
from mnist_bench.tracking.reader import read_suite


def _recorded(store, history):
    """The ids of two runs, the second with this history."""
    specs = [run_spec(seed=seed) for seed in (0, 1)]
    record(store, specs, [run_result(specs[0]), run_result(specs[1], history=history)])
    return read_suite(store, "made_up").runs.set_index("seed")["run_id"].to_dict()


def test_a_curve_has_a_figure_an_epoch(store):
    """Each run's own figures come in the order of its epochs, also where they end after the tenth."""
    losses = [1 / epoch for epoch in range(1, 13)]
    ids = _recorded(store, tuple({"train_loss": 1.0, "val_loss": loss} for loss in losses))
    assert read_curves(store, [ids[1], ids[0]], "val_loss") == {ids[0]: [0.8, 0.3], ids[1]: losses}


def test_a_metric_that_was_not_recorded_is_told(store):
    """A run without validation has no curve of it, and the line says why."""
    ids = _recorded(store, ({"train_loss": 0.5},))
    with pytest.raises(StoreError, match=rf"run {ids[1]} has no val_loss: a recipe with validation = 0"):
        read_curves(store, ids.values(), "val_loss")


def test_points_are_put_in_the_order_of_epochs(store):
    """A store promises no order: what comes first counts by its epoch."""
    run_id = _recorded(store, ({"train_loss": 0.5},))[0]
    points = [Metric("late_first", value, timestamp, step) for value, timestamp, step in ((0.2, 1, 2), (0.4, 2, 1))]
    store.client.log_batch(run_id, metrics=points)
    assert read_curves(store, [run_id], "late_first") == {run_id: [0.4, 0.2]}
