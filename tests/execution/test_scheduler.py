"""A running Dask scheduler as the engine uses it, shares it, and loses it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import subprocess
import sys
import time

import dask
import made_up
import pytest
from distributed import Client, LocalCluster, Security, WorkerPlugin
from execution.comparing import figures, results

from mnist_bench.errors import SchedulerError, SchedulerLostError
from mnist_bench.execution import worker
from mnist_bench.execution.engine import Engine
from mnist_bench.training.trainer import train

pytestmark = pytest.mark.slow


def test_a_running_scheduler_is_used_as_it_is(engine, dataset):
    """With an address, the same runs are trained by workers that were there already, and stay; it can be watched."""
    run = made_up.run_spec(dataset, seed=5)
    with Engine(dataset, scheduler=engine._client.scheduler.address) as guest:
        there = results(guest, [run])
        assert guest.dashboard.startswith("http://127.0.0.1:")
    assert engine.dashboard is None
    assert there[run.key].finished
    assert results(engine, [run])[run.key].finished


def test_a_worker_that_comes_late_is_used(dataset, tmp_path):
    """It trains runs of the suite in progress, on a dataset that was sent before it came."""
    at_work = set()
    runs = [made_up.run_spec(dataset, seed=seed) for seed in range(5_000)]
    with (
        killable_cluster(tmp_path) as (address, _),
        Engine(dataset, scheduler=address, on_progress=lambda at: at_work.add(at["worker"])) as engine,
    ):
        there = engine.results(runs, {})
        assert next(there).finished
        assert len(at_work) == 1
        with started(worker_of(tmp_path)):
            assert any(len(at_work) == 2 for _ in there)


def test_a_worker_is_given_a_dataset_once(engine, dataset):
    """Whoever comes to the same cluster with it afterwards: workers keep the one that they have, by its digest."""

    def held():
        return engine._client.run(lambda: {digest: id(each) for digest, each in worker._datasets.items()})

    before = held()
    assert all(set(each) == {dataset.digest} for each in before.values())
    with Engine(dataset, scheduler=engine._client.scheduler.address) as guest:
        assert results(guest, [made_up.run_spec(dataset)])
    assert held() == before


def test_two_suites_share_a_cluster(engine, dataset):
    """What both have, under other names, is trained for each: no result, and no news of progress, is the other's."""
    heard = []
    here = [made_up.run_spec(dataset, seed=seed) for seed in range(4)]
    there = [spec.model_copy(update={"suite": "another"}) for spec in here]
    assert [spec.key for spec in here] == [spec.key for spec in there]
    with Engine(dataset, scheduler=engine._client.scheduler.address, on_progress=heard.append) as guest:
        ours, theirs = engine.results(here, {}), guest.results(there, {})
        both = list(zip(ours, theirs, strict=True))
    assert {(one.spec.suite, other.spec.suite) for one, other in both} == {(here[0].suite, "another")}
    assert len(heard) == len(there) * (1 + there[0].recipe.epochs)


def test_workers_that_lack_the_code_get_one_line(dataset, monkeypatch):
    """A cluster without what runs need is told as such, before any run."""

    class Missing(WorkerPlugin):
        def __init__(self, _):
            self.name, self.idempotent = "missing", True

        def __reduce__(self):
            return importlib.import_module, ("no_such_module",)

    monkeypatch.setattr("mnist_bench.execution.engine.DatasetPlugin", Missing)
    told = r"can't take the dataset .*no_such_module.*: they need this same mnist-bench"
    with LocalCluster(n_workers=1, dashboard_address="127.0.0.1:0") as cluster:
        for _ in range(2):  # not as if they had taken it the first time
            with pytest.raises(SchedulerError, match=told):
                Engine(dataset, scheduler=cluster.scheduler_address)


def test_whatever_a_lost_connection_raises_is_told_as_such(dataset, engine):
    """Once Dask's client has given up, its methods fail in many ways."""

    def go_on():
        with Engine(dataset, scheduler=engine._client.scheduler.address) as guest:
            guest._client.close()
            guest.trials().begin(made_up.run_spec(dataset))

    with pytest.raises(SchedulerLostError, match="went away: start it"):
        go_on()


def test_a_worker_of_many_threads_trains_one_run_at_a_time(dataset):
    """Runs that share a compiled model do not disturb one another, however many threads a Dask worker has."""
    runs = [made_up.run_spec(dataset, seed=seed, epochs=8) for seed in range(6)]
    cluster = LocalCluster(n_workers=1, threads_per_worker=3, dashboard_address="127.0.0.1:0")
    with cluster, Engine(dataset, scheduler=cluster.scheduler_address) as engine:
        there = results(engine, runs)
    for run in runs:
        assert figures(there[run.key]) == figures(train(run, dataset, on_epoch=lambda _: None))


def test_a_scheduler_without_workers_gets_one_line(dataset, monkeypatch):
    """Nobody waits for ever for workers that don't come."""
    monkeypatch.setattr("mnist_bench.execution.engine._CONNECT_SECONDS", 1)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(SchedulerError, match="has no workers: start some"),
    ):
        Engine(dataset, scheduler=cluster.scheduler_address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_no_scheduler_gets_one_line(dataset, address, monkeypatch):
    """A wrong address is told as such, with the mend."""
    monkeypatch.setattr("mnist_bench.execution.engine._CONNECT_SECONDS", 1)
    with pytest.raises(SchedulerError, match=f"no Dask scheduler answers at {address}: start one"):
        Engine(dataset, scheduler=address)


@pytest.mark.parametrize("work", ["suite", "search"])
def test_a_scheduler_that_goes_away_gets_one_line(dataset, tmp_path, caplog, work):
    """Killed in the middle of a suite or of a search, it is told as such, with the mend, and by nothing of Dask's."""

    def suite(engine, kill):
        for _ in engine.results([made_up.run_spec(dataset, seed=seed) for seed in range(1000)], {}):
            kill()

    def search(engine, kill):
        trials = engine.trials()
        trials.begin(made_up.run_spec(dataset, epochs=1000))
        while trials.slots:
            trials.news(60)
            kill()

    def lose():
        with killable_cluster(tmp_path) as (address, kill), Engine(dataset, scheduler=address) as engine:
            {"suite": suite, "search": search}[work](engine, kill)

    with pytest.raises(SchedulerLostError, match=r"the scheduler at tcp://.* went away: start it"):
        lose()
    assert not caplog.records


@contextlib.contextmanager
def killable_cluster(folder):
    """A scheduler and a worker in processes of their own: its address, and what kills it."""
    file = folder / "scheduler.json"
    command = [sys.executable, "-m", "dask", "scheduler", "--port", "0", "--dashboard-address", ":0"]
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(started([*command, "--scheduler-file", file]))
        stack.enter_context(started(worker_of(folder)))
        while not (file.exists() and file.read_text()):
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], scheduler.kill


def worker_of(folder):
    """The command of a worker of the scheduler that noted its address there."""
    return [sys.executable, "-m", "dask", "worker", "--scheduler-file", folder / "scheduler.json", "--no-nanny"]


@contextlib.contextmanager
def started(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x", "tls://127.0.0.1:9"])
def test_a_client_that_came_to_nothing_is_gone(dataset, address, monkeypatch):
    """Left to the collector it would end at any time, also while another starts and holds the lock that it takes."""

    def clients():
        return [each for each in gc.get_objects() if isinstance(each, Client)]

    monkeypatch.setattr("mnist_bench.execution.engine._CONNECT_SECONDS", 1)
    gc.collect()
    before = len(clients())
    with pytest.raises(SchedulerError):
        Engine(dataset, scheduler=address)
    assert len(clients()) == before


def test_a_scheduler_behind_tls_is_reached_as_dask_is_told(dataset, tmp_path, monkeypatch):
    """Certificates stand in Dask's own configuration; without them one line says so."""
    security = Security.temporary()
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    parts = {"ca": security.tls_ca_file, "cert": security.tls_client_cert, "key": security.tls_client_key}
    for name, content in parts.items():
        files[name].write_text(content)
    told = {
        "distributed.comm.tls.ca-file": str(files["ca"]),
        "distributed.comm.tls.client.cert": str(files["cert"]),
        "distributed.comm.tls.client.key": str(files["key"]),
    }
    monkeypatch.setattr("mnist_bench.execution.engine._CONNECT_SECONDS", 5)
    here = {"n_workers": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(protocol="tls", security=security, **here) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        with pytest.raises(SchedulerError, match="needs certificates: name them in Dask's configuration"):
            Engine(dataset, scheduler=cluster.scheduler_address)
        with dask.config.set(told), Engine(dataset, scheduler=cluster.scheduler_address) as engine:
            assert engine._client.submit(abs, -1).result() == 1
