"""The engine: real Dask workers, real training."""

from __future__ import annotations

import os
import signal
import time
from importlib.metadata import version

import made_up
import pytest
import tensorflow as tf
from execution.comparing import figures, results

from mnist_bench.errors import ArchitectureError, SchedulerError
from mnist_bench.execution import worker
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.worker import perform
from mnist_bench.training.trainer import train

pytestmark = pytest.mark.slow


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
    assert all(place <= there.index(run.key) + 2 for place, run in enumerate(runs))  # none before its turn


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
        tf.errors.AbortedError(None, None, "Status: 5, message: could not execute a primitive, in file x.cc:306"),
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
