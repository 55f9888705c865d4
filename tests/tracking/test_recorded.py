"""What MLflow has of one run."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import run_spec
from tracking.recordings import failed_result, record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.tracking.artifacts import attach, fetch
from mnist_bench.tracking.curves import read_history
from mnist_bench.tracking.recorded import finished_run, read_spec


def _recorded(store, result):
    """Record one run; MLflow's own record of it."""
    record(store, [result.spec], [result])
    (run,) = [run for run in store.runs("1") if "run_key" in run.data.tags]
    return run


def test_what_was_trained_and_how_it_went_come_back(store):
    """Spec and epochs are read as they were recorded."""
    spec = run_spec(seed=3, learning_rate=0.5)
    result = run_result(spec)
    run = finished_run(store, _recorded(store, result).info.run_id)
    assert read_spec(run) == spec
    assert read_history(store, run) == [dict(epoch) for epoch in result.history]


def test_a_failed_run_has_its_epochs(store):
    """The epoch in which a run diverged is among its figures."""
    run = _recorded(store, failed_result(run_spec()))
    (epoch,) = read_history(store, run)
    assert np.isnan(epoch["train_loss"])
    assert epoch["epoch_seconds"] == 2.0


def test_another_versions_spec_is_told(store):
    """What a version with other fields recorded is refused, not guessed."""
    run = _recorded(store, run_result())
    store.client.set_tag(run.info.run_id, "spec", '{"unknown": 1}')
    with pytest.raises(StoreError, match="another version"):
        read_spec(finished_run(store, run.info.run_id))


def test_files_are_added_to_an_ended_run(store):
    """They lie beside those that the run had, over those of the same name."""
    run = _recorded(store, run_result(artifacts={"curves.png": b"old", "other": b"kept"}))
    attach(store, run.info.run_id, {"curves.png": b"new", "model.png": b"drawn"})
    there = {name: fetch(store, run.info.artifact_uri, name) for name in ("curves.png", "model.png", "other")}
    assert there == {"curves.png": b"new", "model.png": b"drawn", "other": b"kept"}


def test_artifacts_that_can_not_be_written_are_told(store, monkeypatch):
    """A folder of artifacts that may not be written to is told in one line."""
    run = _recorded(store, run_result())

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mnist_bench.tracking.artifacts.upload", refuse)
    with pytest.raises(StoreError, match=r"nothing can be added to the files of run .*Permission denied"):
        attach(store, run.info.run_id, {"a": b""})
