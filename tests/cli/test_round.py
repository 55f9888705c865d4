"""A plan, carried out while MLflow or the disk is away; workers are made up here."""

from __future__ import annotations

import errno
import io

import pytest
from made_up import images
from mlflow.exceptions import MlflowException
from rich.console import Console
from tracking.recordings import new_store, run_result, through_mlflow

from mnist_bench import suites
from mnist_bench.cli import round as carrying
from mnist_bench.cli.progress import SuiteProgress
from mnist_bench.errors import UndeliveredError
from mnist_bench.execution.plan import make_plan
from mnist_bench.tracking import Outbox, Recorder
from mnist_bench.tracking.leases import Lease, claims

SUITE = """
question = "Is anything lost?"
cost = "none"
seeds = 3
[baseline]
architecture = "mlp"
[variants.wide]
options = {widths = [64]}
"""


@pytest.fixture
def store(tmp_path_factory, tmp_path):
    return through_mlflow(new_store(tmp_path_factory, tmp_path))  # whose calls are what fails here


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "small.toml").write_text(SUITE)
    return make_plan(suites.load(str(tmp_path / "small.toml")), images())


@pytest.fixture
def carry_out(monkeypatch, store, plan):
    """Carry the plan out with made-up workers, before whose results `meanwhile` happens; and what was said."""
    monkeypatch.setattr("mnist_bench.tracking.recorder._LAST_PAUSES", (0.0, 0.0))
    monkeypatch.setattr("mnist_bench.tracking.leases._POLL_SECONDS", 0.01)
    said = io.StringIO()

    def carry(meanwhile=lambda: None):
        class Engine:
            dashboard = None

            def __init__(self, *_, **__):
                pass

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def results(self, runs, _models):
                for spec in runs:
                    meanwhile()
                    yield run_result(spec)

        monkeypatch.setattr(carrying, "Engine", Engine)
        progress = SuiteProgress(Console(file=said, width=500), 0)
        return carrying.carry_out(plan, store, progress, keep_models=False, engine={})

    return carry, said


def children(store):
    ids = [found.experiment_id for found in store.client.search_experiments()]
    return [run for run in store.client.search_runs(ids) if "run_key" in run.data.tags]


def experiment(store):
    return store.client.get_experiment_by_name("small/made-up").experiment_id


def test_mlflow_goes_away_in_the_middle(carry_out, store, monkeypatch):
    """All is trained and kept; the error says how many wait, and how to deliver them; the next command does it."""
    carry, said = carry_out

    def away(*_, **__):
        raise MlflowException("server unreachable")

    real = store.client.create_run
    with pytest.raises(UndeliveredError) as told:
        carry(lambda: monkeypatch.setattr(store.client, "create_run", away))
    folder, address = store.location.outbox, store.location.address
    assert str(told.value) == (
        f"6 finished runs wait in {folder}: once MLflow answers, deliver them by `mnist-bench sync --tracking-uri "
        f"{address}` (tracking store {address}: server unreachable)"
    )
    assert said.getvalue().count("Training goes on") == 1
    monkeypatch.setattr(store.client, "create_run", real)
    board = carry()
    assert "6 finished runs of before were waiting in the outbox, and are recorded now." in said.getvalue()
    assert "6 runs of small on made-up, 0 of them to do." in said.getvalue()
    assert board["finished"].tolist() == [3, 3]
    assert len(children(store)) == 6
    assert claims(store, experiment(store)) == []


def test_disk_and_mlflow_are_full(carry_out, store, monkeypatch):
    """What could be kept nowhere is counted, and trained again by the same command."""
    carry, _ = carry_out

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        monkeypatch.context() as patched,
        pytest.raises(UndeliveredError, match="6 runs could be kept nowhere: the same"),
    ):
        carry(lambda: [patched.setattr("os.fsync", full), patched.setattr(store.client, "create_run", full)])
    assert carry()["finished"].tolist() == [3, 3]
    assert len(children(store)) == 6


def test_a_second_driver_trains_nothing_that_the_first_trains(carry_out, store, plan, monkeypatch):
    """It waits for the variants' lease, says so, and then finds their runs finished."""
    carry, said = carry_out
    recorder = Recorder(store, Outbox(store.location.outbox))
    keys = {run.variant_key for run in plan.runs}
    lease = Lease(store, recorder.experiment(plan.runs[0]), keys)
    lease.__enter__()
    recorder.prepare(plan.agenda())

    def waiting():
        for run in plan.runs:
            recorder.record(run_result(run))
        leave(lease)

    monkeypatch.setattr(
        carrying, "Lease", lambda *found, on_wait: Lease(*found, on_wait=lambda it: [on_wait(it), waiting()])
    )
    carry()
    assert "Waiting for process" in said.getvalue()
    assert "6 runs of small on made-up, 0 of them to do." in said.getvalue()
    assert len(children(store)) == 6


def leave(lease):
    lease.__exit__(None, None, None)


def test_a_killed_drivers_runs_are_ended_by_the_next(carry_out, store, plan):
    """Parents that a killed driver left RUNNING, under whatever plan, do not read RUNNING afterwards."""
    carry, _ = carry_out
    recorder = Recorder(store, Outbox(store.location.outbox))
    recorder.prepare(plan.agenda())
    other = run_result(plan.runs[0].model_copy(update={"variant": "former", "options": {"widths": [1]}}))
    Recorder(store, Outbox(store.location.outbox)).record(other)
    for run in store.client.search_runs([experiment(store)]):
        store.client.update_run(run.info.run_id, status="RUNNING")
    carry()
    assert {run.info.status for run in store.client.search_runs([experiment(store)])} == {"FINISHED", "KILLED"}


def test_ctrl_c_while_mlflow_is_away_is_ctrl_c(carry_out, store, monkeypatch):
    """The interrupt is what is told, though nothing can be judged or ended now."""
    carry, said = carry_out

    def away(*_, **__):
        raise MlflowException("server unreachable")

    def stop():
        for call in ("search_runs", "set_terminated", "log_batch", "get_experiment", "delete_experiment_tag"):
            monkeypatch.setattr(store.client, call, away)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry(stop)
    assert "Interrupted: 0 runs were trained. The same command goes on from there." in said.getvalue()
