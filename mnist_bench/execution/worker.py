"""What happens in a worker process: it holds the datasets, trains runs, and draws their pictures.

The driver imports this module too, to name its functions; TensorFlow is imported by the first run alone.
"""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from distributed import WorkerPlugin, get_worker

from mnist_bench.errors import SchedulerError
from mnist_bench.execution.code import code_of
from mnist_bench.specs import RunResult
from mnist_bench.training.environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Worker

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunSpec

__all__ = ["PROGRESS", "DatasetPlugin", "perform"]

PROGRESS = "mnist-bench-progress"  # the topic of Dask's events on which workers say what they are at

_datasets: dict[str, Dataset] = {}  # by digest
_training = threading.Lock()  # a worker of several threads trains one run at a time: they share compiled models


class DatasetPlugin(WorkerPlugin):
    """Gives a dataset to every worker once, those that come later included."""

    def __init__(self, dataset: Dataset) -> None:
        self.name = f"mnist-bench-{dataset.digest}"
        self._dataset = dataset

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Keep the dataset, and set what TensorFlow will read when the first run imports it."""
        os.environ.update(ENVIRONMENT)
        _datasets[self._dataset.digest] = self._dataset
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C reaches the whole process group; it is the driver's to say what becomes of the workers.
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def perform(spec: RunSpec, start: RunResult | bytes | None = None) -> RunResult:
    """Train a run on a worker's dataset, with its pictures.

    Args:
        spec: the run.
        start: the result, or the `.keras` file, of the run that it starts from.

    Returns:
        The result; one with a `cause` where the loss was not finite.

    Raises:
        ArchitectureError: the model can't be built for such images.
        SchedulerError: this worker has other code than the driver, so its result would not be the key's.
    """
    if code_of(spec.architecture) != spec.code:
        raise SchedulerError(
            f"the worker on {platform.node()} has other code or versions than this process: install the same"
        )
    from mnist_bench.training.trainer import train  # noqa: PLC0415 - TensorFlow: see above

    weights = start.model if isinstance(start, RunResult) else start
    if spec.start_from and weights is None:
        cause = f"the run that it starts from ({spec.start_from.variant}, seed {spec.seed}) failed"
        return RunResult(spec=spec, started_at=time.time(), seconds=0.0, cause=cause)
    with _training:
        result = train(spec, _datasets[spec.dataset.digest], start=weights, on_epoch=_reporter(spec))
    return replace(result, artifacts={**result.artifacts, **_pictures(result)})


def _reporter(spec: RunSpec) -> Callable[[int], None]:
    worker = get_worker()

    def report(epoch: int) -> None:
        at = {"worker": worker.address, "variant": spec.variant, "seed": spec.seed}
        worker.log_event(PROGRESS, at | {"epoch": epoch, "epochs": spec.recipe.epochs})

    return report


def _pictures(result: RunResult) -> dict[str, bytes]:
    """The curves and the confusion matrix, drawn here, where there are many workers, and not in the one driver."""
    from mnist_bench.tracking import figures  # noqa: PLC0415 - matplotlib

    title = f"{result.spec.variant}, seed {result.spec.seed}"
    files = {"curves.png": figures.to_png(figures.learning_curves(result.history, title))}
    if result.confusion is not None:
        files["confusion.png"] = figures.to_png(figures.confusion_heatmap(result.confusion, title))
    return files
