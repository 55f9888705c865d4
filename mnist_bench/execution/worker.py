"""What happens in a worker process: it holds the datasets, trains runs, and draws their pictures.

The driver imports this module too, to name its functions; TensorFlow is imported by the first run alone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from distributed import Event, WorkerPlugin, get_worker

from mnist_bench.errors import MnistBenchError, SchedulerError
from mnist_bench.execution.code import code_of
from mnist_bench.execution.gpus import gpu_environment
from mnist_bench.specs import RunResult
from mnist_bench.training.environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from distributed import Worker

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunSpec

__all__ = ["PROGRESS", "TRIALS", "DatasetPlugin", "perform", "perform_trial", "reporter"]

# The topics of Dask's events on which workers say what they are at, and how a trial does after each epoch.
PROGRESS = "mnist-bench-progress"
TRIALS = "mnist-bench-trials"

_datasets: dict[str, Dataset] = {}  # by digest
# Python's, TensorFlow's, the loader's of shared libraries, the system's, and oneDNN's words for it.
_OUT_OF_MEMORY = (
    "MemoryError",
    "ResourceExhaustedError",
    "failed to map segment",
    "annot allocate memory",
    "could not execute a primitive",
)
_training = threading.Lock()  # a worker of several threads trains one run at a time: they share compiled models


class DatasetPlugin(WorkerPlugin):
    """Gives a dataset to every worker once, those that come later included, whoever else gave it before."""

    idempotent = True

    def __init__(self, dataset: Dataset) -> None:
        self.name = f"mnist-bench-{dataset.digest}"
        self._dataset = dataset

    def setup(self, worker: Worker) -> None:
        """Keep the dataset, and set what TensorFlow will read when the first run imports it."""
        os.environ.update(ENVIRONMENT | gpu_environment(worker.name))
        _datasets[self._dataset.digest] = self._dataset
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C reaches the whole process group; it is the driver's to say what becomes of the workers.
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def perform(spec: RunSpec, start: RunResult | bytes | None = None, timeout_seconds: float | None = None) -> RunResult:
    """Train a run on a worker's dataset, with its pictures.

    Args:
        spec: the run.
        start: the result, or the `.keras` file, of the run that it starts from.
        timeout_seconds: after so many this process ends, whatever it hangs in; Dask then tries the run again.

    Returns:
        The result; one with a `cause` where the loss was not finite.

    Raises:
        ArchitectureError: the model can't be built for such images.
        SchedulerError: this worker has other code than the driver, so its result would not be the key's.
    """
    _check_code(spec)
    from mnist_bench.training.trainer import train  # noqa: PLC0415 - TensorFlow: see above

    weights = start.model if isinstance(start, RunResult) else start
    if spec.start_from and weights is None:
        cause = f"the run that it starts from ({spec.start_from.variant}, seed {spec.start_from.seed}) failed"
        return RunResult(spec=spec, started_at=time.time(), seconds=0.0, cause=cause)
    report = reporter(spec)
    with _training, _ended_after(timeout_seconds), _ended_out_of_memory():
        report(0)  # before anything that it might die of
        result = train(
            spec, _datasets[spec.dataset.digest], start=weights, on_epoch=lambda epoch: report(epoch) if epoch else None
        )
    return replace(result, artifacts={**result.artifacts, **_pictures(result)})


def perform_trial(spec: RunSpec, name: str) -> RunResult:
    """Train a search's trial on a worker's dataset; its test part is left alone.

    Args:
        spec: the run.
        name: what the driver knows it by. An `Event` of that name prunes it after the epoch that is under way.

    Returns:
        The result; one with a `cause` where the loss was not finite, or where what was drawn can't be trained at all.

    Raises:
        SchedulerError: this worker has other code than the driver.
    """
    _check_code(spec)
    from mnist_bench.training.trainer import train  # noqa: PLC0415 - TensorFlow: see above

    began = time.time()
    event, worker = Event(name), get_worker()

    def prunes(epoch: int, figures: Mapping[str, float]) -> bool:
        worker.log_event(TRIALS, {"trial": name, "epoch": epoch, "figures": dict(figures)})
        return bool(event.is_set())

    try:
        with _training, _ended_out_of_memory():
            return train(spec, _datasets[spec.dataset.digest], on_epoch=reporter(spec), prunes=prunes)
    except Exception as error:  # noqa: BLE001 - a drawn network may be too much for TensorFlow in any way it has
        reason = str(error).strip().partition("\n")[0]
        cause = reason if isinstance(error, MnistBenchError) else f"{type(error).__name__}: {reason}"
        return RunResult(spec=spec, started_at=began, seconds=time.time() - began, cause=cause)


@contextlib.contextmanager
def _ended_after(seconds: float | None) -> Iterator[None]:
    """End this process if the block takes longer: by a thread of C, which a hanging extension doesn't hold up."""
    if seconds is None:
        yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _ended_out_of_memory() -> Iterator[None]:
    """End this process where it is out of memory: a new one has all of it, and Dask tries the run again there."""
    try:
        yield
    except Exception as error:
        told = f"{type(error).__name__}: {error}"  # AutoGraph wraps what is raised while it traces
        if not any(sign in told for sign in _OUT_OF_MEMORY):
            raise
        os.kill(os.getpid(), signal.SIGKILL)


def _check_code(spec: RunSpec) -> None:
    here, there = code_of(spec.architecture).model_dump(), spec.code.model_dump()
    differing = [f"{part} {here[part]}, not {there[part]}" for part in here if here[part] != there[part]]
    if differing:
        raise SchedulerError(
            f"the worker on {platform.node()} has other code or versions than this process: {'; '.join(differing)}: "
            "install the same"
        )


def reporter(spec: RunSpec) -> Callable[[int], None]:
    """What tells the driver, from within a task, how many epochs of a run are done."""
    worker = get_worker()
    task = worker.get_current_task()

    def report(epoch: int) -> None:
        at = {"worker": worker.name, "task": task, "variant": spec.variant, "seed": spec.seed}
        worker.log_event(PROGRESS, at | {"epoch": epoch, "epochs": spec.recipe.epochs})

    return report


def _pictures(result: RunResult) -> dict[str, bytes]:
    """The curves and the confusion matrix, drawn here, where there are many workers, and not in the one driver."""
    from mnist_bench.figures.run import confusion_heatmap, learning_curves  # noqa: PLC0415 - matplotlib
    from mnist_bench.figures.style import to_png  # noqa: PLC0415

    title = f"{result.spec.variant}, seed {result.spec.seed}"
    files = {"curves.png": to_png(learning_curves(result.history, title))}
    if result.confusion is not None:
        files["confusion.png"] = to_png(confusion_heatmap(result.confusion, title))
    return files
