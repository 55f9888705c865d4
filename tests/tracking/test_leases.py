"""Leases on variants: no two processes train the same at once, and none waits for the dead."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from made_up import run_spec
from mlflow.exceptions import MlflowException
from tracking.recordings import agenda, run_result

from mnist_bench.errors import StoreError
from mnist_bench.tracking import Outbox, Recorder, open_store
from mnist_bench.tracking.health import end_abandoned
from mnist_bench.tracking.leases import Lease, claims

ELSEWHERE = {"host": "elsewhere", "pid": 1, "process_started": 0.0}


@pytest.fixture
def experiment(store):
    return store.client.create_experiment("made_up/made-up", store.artifact_location("made_up/made-up"))


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Who waits looks again soon."""
    monkeypatch.setattr("mnist_bench.tracking.leases._POLL_SECONDS", 0.05)


def held_elsewhere(monkeypatch, seconds_ago):
    """From here on this process claims as one of another machine, last heard of so long ago."""
    held = ELSEWHERE | {"beat": time.time() - seconds_ago}
    monkeypatch.setattr("mnist_bench.tracking.leases.holder", lambda: held)


def test_a_lease_is_gone_afterwards(store, experiment):
    """While it is held others can read of it; then nothing of it is left in the store."""
    with Lease(store, experiment, ["one", "two"]):
        (claim,) = claims(store, experiment)
        assert (claim.variants, claim.live) == ({"one", "two"}, True)
    assert claims(store, experiment) == []


def test_many_variants_are_claimed_in_several_tags(store, experiment):
    """No tag gets longer than MLflow takes."""
    variants = {f"{n:016x}" for n in range(450)}
    with Lease(store, experiment, variants):
        found = claims(store, experiment)
        assert (len(found), set().union(*(claim.variants for claim in found))) == (3, variants)
    assert claims(store, experiment) == []


def test_others_do_not_wait(store, experiment):
    """Leases on different variants are held at once."""
    with Lease(store, experiment, ["one"]), Lease(store, experiment, ["two"]):
        assert len(claims(store, experiment)) == 2


def test_who_comes_second_waits_and_says_for_whom(store, experiment):
    """The second gets the lease once the first gives it up, and has told of it once."""
    told, order = [], []

    def second():
        with Lease(store, experiment, ["one", "other"], on_wait=told.append):
            order.append("second")

    with Lease(store, experiment, ["one"]):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.5)
        order.append("first")
    thread.join(timeout=20)
    assert order == ["first", "second"]
    (line,) = told
    assert line.startswith("Waiting for process ")


@pytest.mark.parametrize(("seconds_ago", "waits"), [(60, True), (600, False)])
def test_a_silent_machine_loses_its_lease(store, experiment, monkeypatch, seconds_ago, waits):
    """Of a process elsewhere nothing is known but when it was last heard of: after a while it counts as dead."""
    with monkeypatch.context() as patched:
        held_elsewhere(patched, seconds_ago)
        gone = Lease(store, experiment, ["one"])
        gone._claim()
    lease = Lease(store, experiment, ["one"])
    assert (lease._try() is not None) == waits
    assert len(claims(store, experiment)) == 1
    assert (claims(store, experiment)[0].owner == gone._id) == waits


def test_a_dead_process_here_loses_its_lease_at_once(store, experiment, monkeypatch):
    """On this machine it is known who lives."""
    with monkeypatch.context() as patched:
        now = time.time()
        dead = {"host": socket.gethostname(), "pid": 2**22 + 1, "process_started": 0.0, "beat": now}
        patched.setattr("mnist_bench.tracking.leases.holder", lambda: dead)
        Lease(store, experiment, ["one"])._claim()
    with Lease(store, experiment, ["one"]):
        assert len(claims(store, experiment)) == 1


def test_who_was_silent_for_long_learns_that_another_took_over(store, experiment):
    """A process that slept while its lease was taken stops with one line; one that nobody missed goes on."""
    with Lease(store, experiment, ["one"]) as lease:
        lease._beat_at -= 600
        lease._beat()
        lease.check()
        for claim in claims(store, experiment):
            store.client.delete_experiment_tag(experiment, claim.tag)
        lease._beat_at -= 600
        lease._beat()
        with pytest.raises(StoreError, match="another took its runs over: what is trained is kept"):
            lease.check()


def test_of_fifty_that_come_at_once_one_holds_at_a_time(store, experiment, monkeypatch):
    """50 leases on two variants, from threads with stores of their own: no two of one variant are ever held at once."""
    monkeypatch.setattr("mnist_bench.tracking.leases._POLL_SECONDS", 0.01)
    inside, most, done = {"one": 0, "two": 0}, {"one": 0, "two": 0}, []

    def work(turn):
        name = ("one", "two")[turn % 2]
        with Lease(open_store(store.location.uri), experiment, [name]):
            inside[name] += 1
            most[name] = max(most[name], inside[name])
            time.sleep(0.01)
            inside[name] -= 1
            done.append(turn)

    for turns in range(0, 50, 10):
        threads = [threading.Thread(target=work, args=[turns + n]) for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    assert (sorted(done), most) == ([*range(50)], {"one": 1, "two": 1})


def test_a_store_that_is_away_does_not_end_a_lease(store, experiment, monkeypatch):
    """A sign of life that isn't taken is no fault, and neither is one's end, where something else is wrong already."""

    def away(*_):
        raise MlflowException("away")

    monkeypatch.setattr("mnist_bench.tracking.leases.BEAT_SECONDS", 0.02)
    lease = Lease(store, experiment, ["one"]).__enter__()
    monkeypatch.setattr(store.client, "set_experiment_tag", away)
    monkeypatch.setattr(store.client, "get_experiment", away)
    time.sleep(0.2)
    assert lease._thread.is_alive()
    lease.check()
    lease.__exit__(KeyError, KeyError(), None)


def test_runs_of_a_dead_process_are_ended_and_those_of_the_living_are_not(store):
    """Parents that a killed driver left RUNNING become KILLED, unless a process holds their variant."""
    spec = run_spec()
    recorder = Recorder(store, Outbox(store.location.outbox))
    parent = recorder.prepare(agenda([spec]))["baseline"]
    recorder.record(run_result(spec))
    experiment = recorder.experiment(spec)
    with Lease(store, experiment, [spec.variant_key]):
        assert end_abandoned(store, experiment) == 0
        assert end_abandoned(store, experiment, ours=[spec.variant_key]) == 1
    assert store.client.get_run(parent).info.status == "KILLED"
