"""Reading what a run says of each test image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from made_up import run_spec
from tracking.recordings import failed_result, record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.tracking import Location, Store
from mnist_bench.tracking.predictions import read_predictions
from mnist_bench.tracking.recorded import finished_run
from mnist_bench.training.evaluation import predictions_npz


def _npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _recorded(store, result):
    """Record one run; its id."""
    record(store, [result.spec], [result])
    (run,) = [run for run in store.runs("1") if "run_key" in run.data.tags]
    return run.info.run_id


def _read(store, run_id):
    return read_predictions(store, finished_run(store, run_id))


def _recorded_file(store, content):
    return _recorded(store, run_result(artifacts={"predictions.npz": content} if content is not None else {}))


def test_reads_what_a_run_predicted(store):
    """The classes come back as evaluation wrote them, with what they are of."""
    logits = np.random.default_rng(0).normal(size=(50, 10))
    spec = run_spec(seed=3)
    run_id = _recorded(store, run_result(spec, artifacts={"predictions.npz": predictions_npz(logits)}))
    read = _read(store, run_id)
    np.testing.assert_array_equal(read.predicted, logits.argmax(axis=1))
    assert (read.run_id, read.suite, read.variant, read.seed) == (run_id, "made_up", "baseline", 3)
    assert (read.dataset, read.data_digest) == (spec.dataset.name, spec.dataset.digest)


def test_no_such_run(store):
    """An id that isn't there is told in one line."""
    with pytest.raises(StoreError, match=f"{'0' * 32}.* not found") as refused:
        _read(store, "0" * 32)
    assert "\n" not in str(refused.value)


def test_a_variants_own_run_is_none_of_a_seed(store):
    """The parent that stands for a variant has no predictions, and is told from its children."""
    record(store, [run_spec()], [])
    (parent,) = store.runs("1")
    with pytest.raises(StoreError, match="is not a run of one seed"):
        _read(store, parent.info.run_id)


def test_a_failed_run_is_told_with_its_cause(store):
    """What diverged has predicted nothing."""
    run_id = _recorded(store, failed_result(run_spec(), "the loss was nan in epoch 1"))
    with pytest.raises(StoreError, match=rf"{run_id} failed \(the loss was nan in epoch 1\): only a finished run"):
        _read(store, run_id)


def test_a_run_under_way_is_told(store):
    """A run that hasn't ended is no failure, and has predicted nothing yet."""
    run_id = _recorded_file(store, b"")
    store.client.update_run(run_id, status="RUNNING")
    with pytest.raises(StoreError, match=f"{run_id} is running: only a finished run"):
        _read(store, run_id)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing or can't be read .*compare another"),
        (b"", "is missing or can't be read"),
        (b"PK predictions", "is missing or can't be read"),
        (_npz(predicted=np.arange(9))[:-30], "is missing or can't be read"),
        (_npz(probabilities=np.ones((2, 2))), "is missing or can't be read .*predicted"),
        (_npz(predicted=np.array([{}], dtype=object)), "is missing or can't be read .*allow_pickle=False"),
        (_npz(predicted=np.ones((2, 2), int)), "holds no class for each image"),
        (_npz(predicted=np.ones(2)), "holds no class for each image"),
    ],
    ids=["absent", "empty", "no archive", "cut short", "another member", "objects", "a table", "fractions"],
)
def test_predictions_that_cannot_be_used_are_told(store, content, message):
    """Whatever is wrong with the file, one line names the run and the mend."""
    run_id = _recorded_file(store, content)
    with pytest.raises(StoreError, match=f"run {run_id}.*{message}") as refused:
        _read(store, run_id)
    assert "\n" not in str(refused.value)


def test_a_run_is_read_once(store, monkeypatch):
    """Its files are reached by its own address, which it brings along."""
    run_id = _recorded_file(store, _npz(predicted=np.arange(9)))
    rest, reads = store.client._tracking_client.store, []
    get_run = type(rest).get_run
    monkeypatch.setattr(type(rest), "get_run", lambda self, run_id: reads.append(run_id) or get_run(self, run_id))
    _read(store, run_id)
    assert reads == [run_id]


def test_a_servers_password_is_not_told(store, monkeypatch):
    """What the HTTP client says names the whole address; it is told without the password."""
    run_id = _recorded_file(store, b"")
    served = Store(Location("http://me:secret@there:5000/", None))
    vars(served)["client"] = store.client

    def refuse(store, artifact_uri, name):
        raise OSError(f"404 Client Error: NOT FOUND for url: {store.location.uri}api/2.0/mlflow-artifacts")

    monkeypatch.setattr("mnist_bench.tracking.predictions.fetch", refuse)
    with pytest.raises(StoreError, match=r"NOT FOUND for url: http://me:\*\*\*@there:5000/api"):
        _read(served, run_id)
