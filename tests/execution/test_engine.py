"""The engine: real Dask workers, real training."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import dask
import made_up
import pytest
import tensorflow as tf
from distributed import Client, LocalCluster, Security, WorkerPlugin

from mnist_bench.errors import ArchitectureError, SchedulerError, SchedulerLostError
from mnist_bench.execution import worker
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.worker import perform
from mnist_bench.training.trainer import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(dataset):
    """Two workers that hold the made-up images."""
    with Engine(dataset, workers=2) as engine:
        yield engine


def results(engine, runs, models=None):
    return {result.spec.key: result for result in engine.results(runs, models or {})}


def figures(result):
    return {name: value for name, value in result.metrics.items() if name != "train_seconds"}


def test_a_worker_gives_the_bits_of_this_process(engine, dataset):
    """Which process trains a run, and what that process trained before, does not show in its figures."""
    runs = [made_up.run_spec(dataset, seed=seed, options={"widths": [w]}) for seed in range(3) for w in (4, 8)]
    there = results(engine, runs)
    assert set(there) == {run.key for run in runs}
    for run in runs:
        assert figures(there[run.key]) == figures(train(run, dataset, on_epoch=lambda _: None))


def test_two_variants_of_one_run_key_both_come_back(engine, dataset):
    """Variants that come to the same are trained each, and none is lost."""
    runs = [made_up.run_spec(dataset, variant=name, seed=seed) for seed in range(2) for name in ("baseline", "same")]
    there = list(engine.results(runs, {}))
    assert sorted((r.spec.variant, r.spec.seed) for r in there) == sorted((r.variant, r.seed) for r in runs)


def test_runs_wait_for_any_worker(engine, dataset):
    """Of runs that are each a variant of its own no worker is dealt a share: one that is free takes the next."""
    runs = [made_up.run_spec(dataset, variant=f"variant_{place}", seed=place) for place in range(12)]
    there = engine.results(runs, {})
    next(there)
    dealt = engine._client.run_on_scheduler(
        lambda dask_scheduler: [len(each.processing) for each in dask_scheduler.workers.values()]
    )
    assert max(dealt) <= 2, dealt
    assert len(list(there)) == 11


def test_a_long_suite_is_handed_over_bit_by_bit(engine, dataset, monkeypatch):
    """Dask knows of some runs at a time, in their order; all come back, and one that starts from the first, too."""
    monkeypatch.setattr("mnist_bench.execution.engine._AHEAD", 3)
    source = made_up.run_spec(dataset, variant="source")
    onward = made_up.run_spec(dataset, variant="onward", start_from=source)
    runs = [source, *(made_up.run_spec(dataset, seed=seed) for seed in range(2, 12)), onward]
    there, known = [], []
    for result in engine.results(runs, {}):
        there.append(result.spec.key)
        known.append(len(engine._client.futures))
    assert sorted(there) == sorted(run.key for run in runs)
    assert max(known) == 3 + 2  # the source, whose model is still to be had, and the one that just came
    assert all(there.index(run.key) <= place + 3 for place, run in enumerate(runs))


def test_a_worker_forgets_a_result_that_was_taken(engine, dataset):
    """Results, with their models, do not pile up in the workers."""
    list(engine.results([made_up.run_spec(dataset, seed=seed) for seed in range(3)], {}))
    deadline = time.monotonic() + 10
    while any(engine._client.has_what().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(engine._client.has_what().values())


def test_a_worker_with_other_code_is_refused(engine, dataset):
    """Its result would not be what the run key says."""
    run = made_up.run_spec(dataset)
    run = run.model_copy(update={"code": run.code.model_copy(update={"keras": "2.0"})})
    installed = version("keras")
    with pytest.raises(
        SchedulerError, match=rf"other code or versions than this process: keras {installed}, not 2\.0:"
    ):
        results(engine, [run])


def test_a_result_has_its_pictures(engine, dataset):
    """Curves and confusion matrix are drawn by the worker."""
    run = made_up.run_spec(dataset)
    artifacts = results(engine, [run])[run.key].artifacts
    assert set(artifacts) == {"curves.png", "confusion.png", "confusion.json", "predictions.npz"}
    assert artifacts["curves.png"].startswith(b"\x89PNG")


def test_a_failed_run_does_not_stop_the_others(engine, dataset):
    """A diverged run comes back with its cause, and the rest come back finished."""
    bad = made_up.run_spec(dataset, optimizer="sgd", learning_rate=1e30, normalize=False)
    good = made_up.run_spec(dataset)
    there = results(engine, [bad, good])
    assert there[bad.key].cause.startswith("diverged")
    assert there[good.key].finished


def test_a_model_that_can_not_be_built_is_an_error_of_the_users(engine, dataset):
    """It stops the suite with the line that building it gave."""
    run = made_up.run_spec(dataset, architecture="three_conv_cnn", options={"dropout": 0.2})
    with pytest.raises(ArchitectureError, match="three_conv_cnn can't be built for 12×12 images"):
        results(engine, [run])


@pytest.mark.parametrize("source_is", ["planned", "kept", "lost"])
def test_a_run_starts_from_another(engine, dataset, source_is):
    """The weights it starts from come from the same plan, from a kept model, or are trained again: the same bits."""
    source = made_up.run_spec(dataset, seed=7, epochs=4)
    onward = made_up.run_spec(dataset, seed=7, epochs=1, start_from=source)
    model = train(source, dataset, on_epoch=lambda _: None).model
    runs = [source, onward] if source_is == "planned" else [onward]
    there = results(engine, runs, {source.key: model} if source_is == "kept" else {})
    assert set(there) == {run.key for run in runs}
    expected = train(onward, dataset, start=model, on_epoch=lambda _: None)
    assert figures(there[onward.key]) == figures(expected)


def test_a_run_whose_source_failed_says_so(dataset):
    """Nothing is trained from weights that aren't there."""
    source = made_up.run_spec(dataset, variant="source")
    failed = made_up.run_spec(dataset, seed=0, start_from=source)
    broken = train(made_up.run_spec(dataset, optimizer="sgd", learning_rate=1e30), dataset, on_epoch=lambda _: None)
    assert perform(failed, broken).cause == "the run that it starts from (source, seed 0) failed"


def test_a_killed_worker_loses_no_run(dataset):
    """A worker killed by SIGKILL comes back, with the dataset, and its run is trained again."""
    killed = []

    def kill_once(_):
        if not killed:
            (nanny,) = engine._cluster.workers.values()
            killed.append(nanny.pid)
            os.kill(nanny.pid, signal.SIGKILL)

    runs = [made_up.run_spec(dataset, seed=seed, epochs=20) for seed in range(4)]
    with Engine(dataset, workers=1, on_progress=kill_once) as engine:
        there = results(engine, runs)
    assert killed
    assert all(there[run.key].finished for run in runs)


def test_a_run_that_kills_its_worker_three_times_failed(dataset):
    """It comes back with that as its cause; the run that waited in the same worker isn't blamed, and is trained."""

    def kill(at):
        if at["variant"] == "deadly" and at["epoch"] == 0:
            (nanny,) = engine._cluster.workers.values()
            os.kill(nanny.pid, signal.SIGKILL)

    runs = [made_up.run_spec(dataset, variant="deadly", epochs=500), made_up.run_spec(dataset)]
    with Engine(dataset, workers=1, on_progress=kill) as engine:
        there = results(engine, runs)
    assert there[runs[0].key].cause.startswith("killed its worker 3 times (out of memory?), last tcp://127.0.0.1:")
    assert there[runs[1].key].finished


def test_a_run_that_takes_too_long_failed(dataset):
    """With a timeout its worker is killed, three times, and its cause says so."""
    run = made_up.run_spec(dataset, epochs=1_000_000)
    with Engine(dataset, workers=1, run_timeout=3) as engine:
        there = results(engine, [run])
    assert there[run.key].cause == "took longer than --run-timeout 3 s, 3 times"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        tf.errors.ResourceExhaustedError(None, None, "OOM"),
        ImportError("x.so: failed to map segment from shared object"),
        RuntimeError("in user code:\n    MemoryError: std::bad_alloc"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_worker_out_of_memory_ends(monkeypatch, error):
    """What TensorFlow, Python or the loader can't allocate is tried again in a new process; other errors pass."""
    killed = []
    monkeypatch.setattr("os.kill", lambda *arguments: killed.append(arguments))
    with worker._ended_out_of_memory():
        raise error
    assert killed == [(os.getpid(), signal.SIGKILL)]
    for other in (ValueError("other"), ImportError("No module named 'other'")):
        with pytest.raises(type(other), match="other"), worker._ended_out_of_memory():
            raise other


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
        while not file.exists():
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
