"""A search's trials on the engine's workers: begun one by one, pruned while they train, and heard of in one place."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distributed import Event, KilledWorker

from mnist_bench.execution.worker import TRIALS, perform_trial
from mnist_bench.specs import RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client

    from mnist_bench.specs import RunSpec

__all__ = ["Epoch", "Trials", "killed_result"]


@dataclass(frozen=True)
class Epoch:
    """A trial has ended an epoch, with these figures."""

    spec: RunSpec
    number: int  # from 1
    figures: Mapping[str, float]


class Trials:
    """Trials under way. Its methods are called from one thread, whichever Dask's news comes from.

    Args:
        client: of the cluster that trains them.
        engine_id: what the tasks' names end with, since others may use that cluster.
    """

    def __init__(self, client: Client, engine_id: str) -> None:
        self._client = client
        self._id = engine_id
        self._under_way: dict[str, tuple[RunSpec, Any]] = {}  # with their futures, by name
        self._news: queue.SimpleQueue[Any] = queue.SimpleQueue()  # mappings of epochs, and futures that have ended
        client.subscribe_topic(TRIALS, lambda event: self._news.put(event[1]))

    @property
    def slots(self) -> int:
        """How many train at a time: one a worker."""
        return len(self._client.nthreads())

    def begin(self, spec: RunSpec) -> None:
        """Train a trial as soon as a worker is free."""
        name = self._name(spec)
        future = self._client.submit(perform_trial, spec, name, key=name)
        self._under_way[name] = (spec, future)
        future.add_done_callback(self._news.put)

    def prune(self, spec: RunSpec) -> None:
        """Let a trial end after the epoch that it is in."""
        Event(self._name(spec), client=self._client).set()

    def news(self, timeout_seconds: float) -> Epoch | RunResult | None:
        """What happened next, in the order in which it was heard; None if nothing did.

        Raises:
            SchedulerError: a worker has other code than this process.
        """
        try:
            item = self._news.get(timeout=timeout_seconds)
        except queue.Empty:
            return None
        if isinstance(item, dict):
            known = self._under_way.get(item["trial"])  # not once it has ended, or if it is another search's
            return Epoch(known[0], item["epoch"], item["figures"]) if known else None
        spec, future = self._under_way.pop(item.key)
        try:
            result: RunResult = future.result()
        except KilledWorker as killed:
            result = killed_result(spec, killed, own=True)
        return result

    def _name(self, spec: RunSpec) -> str:
        return f"{spec.variant}-{self._id}"


def killed_result(spec: RunSpec, killed: KilledWorker, *, own: bool, timeout: float | None = None) -> RunResult:
    """What comes of a run that kills its worker again and again.

    Args:
        spec: the run.
        killed: Dask's word of it.
        own: whether it was the run itself, and not what it starts from.
        timeout: the seconds that it may take, where it was killed for taking longer.
    """
    attempts = killed.allowed_failures + 1
    if timeout:
        cause = f"took longer than --run-timeout {timeout:g} s, {attempts} times"
    else:
        cause = f"killed its worker {attempts} times (out of memory?), last {killed.last_worker.address}"
    cause = cause if own else f"the run that it starts from {cause}"
    return RunResult(spec=spec, started_at=time.time(), seconds=0.0, cause=cause)
