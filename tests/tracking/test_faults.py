"""MLflow away, refusing or cut short while runs are recorded: each is recorded once, and none is lost."""

from __future__ import annotations

import errno
import gc
import random
from functools import partial

import pytest
from made_up import run_spec
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError
from tracking.recordings import agenda, failed_result, new_store, run_result, twice

from mnist_bench.tracking import Outbox, Recorder
from mnist_bench.tracking.health import end_abandoned
from mnist_bench.tracking.reader import read_suite

CALLS = ["write", "create_run", "get_run", "search_runs", "log_batch", "log_inputs", "set_terminated", "update_run"]


class Killed(BaseException):
    """The process ends here."""


class Faults:
    """How often calls fail, and how."""

    def __init__(self, generator, rate):
        self.generator, self.rate = generator, rate
        self.raises = [
            partial(MlflowException, "refused\n[SQL: …]"),
            partial(OperationalError, "INSERT …", {}, Exception("database is locked")),
            ConnectionError,
            partial(OSError, errno.ENOSPC, "full"),
        ]


class Faulty:
    """MLflow's client, or database, of which calls fail: before they are carried out, or their answer is lost."""

    def __init__(self, real, faults):
        self._real, self._faults = real, faults

    def __getattr__(self, name):
        real, faults = getattr(self._real, name), self._faults
        if name not in CALLS:
            return real

        def call(*args, **kwargs):
            if faults.generator.random() >= faults.rate:
                return real(*args, **kwargs)
            fault = faults.generator.choice(faults.raises)()
            if faults.generator.random() < 0.5:
                real(*args, **kwargs)
            raise fault

        return call


@pytest.fixture(params=["database", "client"])
def seen(request):
    """A store as one sees it whose calls fail: it is written by its database, or through MLflow's client alone."""

    def see(store, faults):
        through = type(store)(store.location)
        database = Faulty(store.database, faults) if request.param == "database" else None
        vars(through).update(client=Faulty(store.client, faults), database=database)
        return through

    return see


@pytest.fixture
def outbox(store):
    return Outbox(store.location.outbox)


@pytest.fixture
def impatient(monkeypatch):
    """Nothing is waited for."""
    monkeypatch.setattr("mnist_bench.tracking.recorder._LAST_PAUSES", (0.0, 0.0))
    monkeypatch.setattr("mnist_bench.tracking.patience.Patience.due", True)


def recorded(store):
    """The children of all experiments: seed, state, and metrics."""
    experiments = [found.experiment_id for found in store.client.search_experiments()]
    runs = [run for run in store.client.search_runs(experiments) if "run_key" in run.data.tags]
    return sorted((int(run.data.tags["seed"]), run.info.status, run.data.metrics.get("parameters", 0)) for run in runs)


def test_runs_wait_while_mlflow_is_away(store, seen, outbox, impatient):
    """Nothing is raised, one line tells of it, and a later process delivers each once."""
    told = []
    recorder = Recorder(seen(store, Faults(random.Random(0), 1.0)), outbox, on_trouble=told.append)
    for seed in range(8):
        recorder.record(run_result(run_spec(seed=seed)))
        assert recorder.unkept == 0
    recorder.settle()
    assert (recorder.waiting, recorder.unkept, len(outbox.entries())) == (8, 0, 8)
    (line,) = told
    assert line.startswith("tracking store sqlite:")
    assert line.endswith(f"Training goes on: what is finished waits in {outbox.folder}.")
    assert Recorder(store, Outbox(outbox.folder)).deliver().delivered == 8
    assert [seed for seed, _, _ in recorded(store)] == [*range(8)]
    assert outbox.entries() == []


def test_what_waited_is_recorded_once_mlflow_answers(store, seen, outbox, impatient):
    """The next run takes those before it along, and a line says so."""
    told, faults = [], Faults(random.Random(0), 1.0)
    recorder = Recorder(seen(store, faults), outbox, on_trouble=told.append)
    recorder.record(run_result(run_spec(seed=0)))
    faults.rate = 0.0
    recorder.record(run_result(run_spec(seed=1)))
    assert (recorder.waiting, told[1:]) == (0, ["Recording goes on: 2 runs that waited are in MLflow now."])
    assert [seed for seed, _, _ in recorded(store)] == [0, 1]


def test_mlflow_is_left_alone_for_a_while_after_it_failed(store, seen, outbox):
    """Runs that come soon after a failure go to the outbox without another attempt, and may be delivered by others."""
    faults = Faults(random.Random(0), 1.0)
    recorder = Recorder(seen(store, faults), outbox)
    recorder.record(run_result(run_spec(seed=0)))
    faults.rate = 0.0
    recorder.record(run_result(run_spec(seed=1)))
    assert recorded(store) == []
    assert Recorder(store, Outbox(outbox.folder)).deliver().delivered == 2


def test_a_full_disk_does_not_stop_the_recording(store, seen, outbox, impatient, monkeypatch):
    """What the outbox can't take goes to MLflow directly; if that doesn't either, it is kept once there is space."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        recorder = Recorder(store, outbox)
        recorder.record(run_result(run_spec(seed=0)))
        assert [seed for seed, _, _ in recorded(store)] == [0]
        faults = Faults(random.Random(0), 1.0)
        recorder = Recorder(seen(store, faults), outbox)
        recorder.record(run_result(run_spec(seed=1)))
        recorder.settle()
        assert (recorder.waiting, recorder.unkept, outbox.entries()) == (0, 1, [])
    recorder.settle()
    assert (recorder.waiting, recorder.unkept, len(outbox.entries())) == (1, 0, 1)
    faults.rate = 0.0
    recorder.settle()
    assert [seed for seed, _, _ in recorded(store)] == [0, 1]


def test_a_run_that_another_has_trained_meanwhile_is_not_recorded_again(store, outbox):
    """A driver that was taken for dead delivers late what its successor has trained and recorded."""
    late = Outbox(outbox.folder)
    late.release(late.put(run_result()))
    Recorder(store, outbox).record(run_result())
    assert Recorder(store, outbox).deliver().delivered == 1
    assert len(recorded(store)) == 1


def test_a_run_that_was_given_up_is_completed_by_its_delivery(store, outbox, monkeypatch):
    """RUNNING, then KILLED by who found it abandoned, it is FINISHED once its entry is delivered."""

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setitem(vars(store), "database", None)  # which takes a run whole or not at all
        patched.setattr(store.client, "log_inputs", killed)
        with pytest.raises(Killed):
            Recorder(store, outbox).record(run_result())
    experiment = store.client.get_experiment_by_name("made_up/made-up").experiment_id
    assert end_abandoned(store, experiment) == 1
    assert [state for _, state, _ in recorded(store)] == ["KILLED"]
    Recorder(store, outbox).deliver()
    assert [state for _, state, _ in recorded(store)] == ["FINISHED"]


@pytest.mark.parametrize("lost", ["", "set_terminated"])
def test_a_run_that_was_made_twice_is_finished_once(store, outbox, impatient, monkeypatch, lost):
    """MLflow's client asks again where an answer is lost: its twin goes, also where completing is broken off."""
    terminate = store.client.set_terminated

    def answer_lost(*args):
        terminate(*args)
        raise MlflowException("the answer is lost")

    Recorder(store, outbox).record(run_result(run_spec(seed=1)))  # its parent is there
    monkeypatch.setitem(vars(store), "database", None)  # which takes a run whole or not at all
    monkeypatch.setattr(store.client, "create_run", twice(store.client.create_run))
    recorder = Recorder(store, outbox)
    with monkeypatch.context() as patched:
        if lost:
            patched.setattr(store.client, lost, answer_lost)
        recorder.record(run_result())
    recorder.settle()
    assert [state for seed, state, _ in recorded(store) if seed == 0] == ["FINISHED"]


def test_a_parent_that_was_made_twice_counts_once(store, outbox, monkeypatch):
    """Of two parents that MLflow's client has asked for, an answer being lost, one goes, and no reader meets it."""
    runs = [run_spec(seed=seed) for seed in range(2)]
    monkeypatch.setattr(store.client, "create_run", twice(store.client.create_run))
    with Recorder(store, outbox) as recorder:
        recorder.prepare(agenda(runs))
        for run in runs:
            recorder.record(run_result(run))
    suite = read_suite(store, "made_up")
    assert (list(suite.variants["variant"]), len(suite.runs)) == (["baseline"], 2)
    every = store.client.search_runs([found.experiment_id for found in store.client.search_experiments()])
    assert [run.info.status for run in every] == ["FINISHED"] * 3


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_no_fault_loses_a_run_or_records_one_twice(tmp_path_factory, tmp_path, seen, impatient, rate):
    """Calls that fail before or after MLflow carried them out, and processes that end in any of them: 300 faults."""
    store = new_store(tmp_path_factory, tmp_path)
    folder = store.location.outbox
    generator = random.Random(6)
    results = [run_result(run_spec(seed=seed), score=0.8 + seed / 1000) for seed in range(20)]
    results += [failed_result(run_spec(seed=20))]
    left = list(results)
    while left:  # each turn is a process; it delivers what the one before left
        faults = Faults(generator, rate)
        faults.raises.append(Killed)
        recorder = Recorder(seen(store, faults), Outbox(folder))
        try:
            recorder.deliver()
            while left:
                recorder.record(left.pop(0))
            recorder.settle()
        except Killed:
            continue
        finally:
            del recorder
            gc.collect()  # with the process its locks go
    Recorder(store, Outbox(folder)).deliver()
    states = {seed: state for seed, state, _ in recorded(store)}
    assert states == {**dict.fromkeys(range(20), "FINISHED"), 20: "FAILED"}
    assert len(recorded(store)) == 21
    assert Outbox(folder).entries() == []
