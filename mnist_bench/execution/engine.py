"""The engine: Dask workers, on this machine or on a cluster, that train runs and give back results."""

from __future__ import annotations

import contextlib
import gc
import logging
import time
import uuid
from collections import Counter, defaultdict
from concurrent.futures import CancelledError
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from dask.system import CPU_COUNT
from distributed import Client, KilledWorker, as_completed
from distributed.comm.core import CommClosedError

from mnist_bench.errors import MnistBenchError, SchedulerError, SchedulerLostError
from mnist_bench.execution.local import NO_LOGS, kill_workers, local_cluster
from mnist_bench.execution.trials import Trials, killed_result
from mnist_bench.execution.worker import PROGRESS, DatasetPlugin, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunResult, RunSpec

__all__ = ["CPU_COUNT", "Engine"]

_CONNECT_SECONDS = 10
_AHEAD = 2000  # runs that Dask knows of at a time: more than there are workers; it breaks down under 100,000
_ATTEMPTS = 3  # at a run that kills its worker
_MOST_RETRIES = 20  # of a run that is blamed for the end of workers, though it never began in them
_NEARLY = 0.9  # of a timeout: what was measured here and there may differ a little


class Engine:
    """Workers that hold a dataset. A context manager: on leaving it, local workers are stopped at once.

    Args:
        dataset: what runs are trained on.
        workers: how many processes here; one a core unless told.
        scheduler: the address of a running Dask scheduler, to use its workers instead.
        run_timeout: the seconds that a run may take; then its worker is killed, and the run tried again.
        on_progress: called, from another thread, with what a worker is at: worker, variant, seed, epoch, epochs.

    Raises:
        SchedulerError: no scheduler answers at that address, or workers can't be started here.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        run_timeout: float | None = None,
        on_progress: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        self._timeout = run_timeout
        self._on_progress = on_progress
        self._id = uuid.uuid4().hex  # others may use the same cluster, for the same runs
        self._begun: defaultdict[str, list[float]] = defaultdict(list)  # when each attempt at a run began, by its task
        self._retries: Counter[str] = Counter()  # of those that were blamed for what another did
        self._cluster = None if scheduler else local_cluster(workers or CPU_COUNT, run_timeout, _ATTEMPTS)
        self._address = self._cluster.scheduler_address if self._cluster else scheduler
        self._client = _client(self._cluster or scheduler)
        plugin = DatasetPlugin(dataset)
        try:
            self._client.register_plugin(plugin)
        except Exception as error:  # a worker's failure comes as a bare Exception that bears its text
            with contextlib.suppress(Exception):  # or the next command would take them for provided
                self._client.unregister_worker_plugin(plugin.name)
            self._close()
            fault = f"the workers at {self._address} can't take the dataset ({error}): they need this same mnist-bench"
            raise SchedulerError(fault) from error
        self._client.subscribe_topic(PROGRESS, self._hear)

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Forget what is under way; local workers are killed, since one in the middle of an epoch hears nothing.

        Raises:
            SchedulerLostError: what ends the block is that the scheduler no longer answers.
        """
        lost = isinstance(error, CancelledError | CommClosedError) or (
            isinstance(error, Exception)
            and not isinstance(error, MnistBenchError)
            and self._client.status != "running"  # whatever its methods raise then
        )
        self._close()
        if lost:
            fault = (
                f"the scheduler at {self._address} went away: start it and its workers, and the same command goes on"
            )
            raise SchedulerLostError(fault) from error

    def results(self, runs: Sequence[RunSpec], models: Mapping[str, bytes]) -> Iterator[RunResult]:
        """Train `runs`, in their order as workers come free, and give each result as it comes.

        Args:
            runs: what to train. One that starts from another of them waits for it.
            models: for those that start from a finished run, its `.keras` file by its run key.

        Raises:
            MnistBenchError: a run can't be what it says. Any other error is a bug, and stops the suite too.
        """
        submitted = self._submitted(runs, models)
        waiting = dict(islice(submitted, _AHEAD))
        completed = as_completed(list(waiting))
        for future in completed:
            result = self._result(future, waiting[future])
            if result is None:
                completed.add(future)
                continue
            del waiting[future]  # a result that nothing refers to is forgotten by the worker that holds it
            self._begun.pop(future.key, None)
            for another, spec in islice(submitted, 1):
                waiting[another] = spec
                completed.add(another)
            yield result

    @property
    def dashboard(self) -> str | None:
        """The address of Dask's own pages, where a running scheduler is used; None of workers that are ours alone."""
        return None if self._cluster else str(self._client.dashboard_link)

    def trials(self) -> Trials:
        """What trains a search's trials, on the same workers."""
        return Trials(self._client, self._id)

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """A worker has begun a run or ended an epoch."""
        _, at = event
        if not at["task"].endswith(self._id):
            return
        if at["epoch"] == 0:
            self._begun[at["task"]].append(time.monotonic())
        self._on_progress(at)

    def _close(self) -> None:
        if self._cluster:
            kill_workers(self._cluster)
        self._client.close()
        if self._cluster:
            self._cluster.close()

    def _submitted(self, runs: Sequence[RunSpec], models: Mapping[str, bytes]) -> Iterator[tuple[Any, RunSpec]]:
        """Submit each run once its turn comes. Two variants may come to the same run key; each is trained."""
        sources: dict[str, Any] = dict(models)  # by run key: a model, or the future of the run that makes it
        last_use = {key: place for place, spec in enumerate(runs) for key in _keys(spec)}
        for place, spec in enumerate(runs):
            future = self._submit(spec, self._start(spec, sources, -place), -place)
            sources.setdefault(spec.key, future)
            for key in _keys(spec):
                if last_use[key] == place:
                    sources.pop(key, None)
            yield future, spec

    def _start(self, spec: RunSpec, sources: dict[str, Any], priority: int) -> Any:
        source = spec.start_from
        if source is None:
            return None
        if source.key not in sources:  # neither kept nor about to be trained: trained for its weights alone
            sources[source.key] = self._submit(source, self._start(source, sources, priority), priority)
        return sources[source.key]

    def _submit(self, spec: RunSpec, start: Any, priority: int) -> Any:
        return self._client.submit(perform, spec, start, self._timeout, key=self._task(spec), priority=priority)

    def _task(self, spec: RunSpec) -> str:
        """Dask's name for a run.

        What stands before the key is one kind of task to Dask. Of one that is large and depends on nothing it hands out
        no more than there are workers free, in order; were each variant a kind, all would be dealt out at once, and a
        worker that comes free would stand idle while runs wait behind another's.
        """
        kind = "continued" if spec.start_from else "run"
        return f"{kind}-{spec.key}-{spec.variant}-{self._id}"

    def _result(self, future: Any, spec: RunSpec) -> RunResult | None:
        """What came of a run; None where it is tried again.

        Dask blames a worker's death on all that it was given, also on what waited there for its turn.
        """
        try:
            result: RunResult = future.result()
        except KilledWorker as killed:
            begun = self._begun[str(killed.task)]
            if len(begun) < _ATTEMPTS and self._retries[future.key] < _MOST_RETRIES:
                self._retries[future.key] += 1
                self._client.retry([future])
                return None
            late = self._timeout and begun and time.monotonic() - begun[-1] > _NEARLY * self._timeout
            timeout = self._timeout if late else None
            result = killed_result(spec, killed, own=killed.task == future.key, timeout=timeout)
        return result


def _keys(spec: RunSpec) -> list[str]:
    """The run keys of a run and of those that it starts from."""
    return [spec.key, *(_keys(spec.start_from) if spec.start_from else [])]


def _client(cluster_or_address: Any) -> Client:
    client = _connected(cluster_or_address)
    try:
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except TimeoutError as error:
        client.close()
        fault = f"the scheduler at {cluster_or_address} has no workers: start some by `dask worker --nthreads 1`"
        raise SchedulerError(fault) from error
    return client


def _connected(cluster_or_address: Any) -> Client:
    logging.getLogger("distributed.client").setLevel(NO_LOGS)
    try:
        return Client(cluster_or_address, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        fault = f"no Dask scheduler answers at {cluster_or_address}: start one by `dask scheduler`, or mend it"
        if isinstance(error, TypeError) and str(cluster_or_address).startswith("tls:"):  # Dask knows of no certificates
            fault = (
                f"the scheduler at {cluster_or_address} needs certificates: name them in Dask's configuration, as "
                "docs/scaling.md shows"
            )
    # The client that came to nothing is to end here: it takes a lock of Dask's, and if the collector comes upon it
    # later, while another client starts and has that lock, the process waits for itself.
    gc.collect()
    raise SchedulerError(fault)
