"""Finished runs, written to MLflow: each exactly once, whatever is cut short, and whether it answers or not."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mnist_bench.errors import StoreError
from mnist_bench.tracking import translation
from mnist_bench.tracking.files import Files
from mnist_bench.tracking.outbox import UnreadableError
from mnist_bench.tracking.parents import Parents
from mnist_bench.tracking.patience import Patience
from mnist_bench.tracking.twins import make_the_one, of_delivery, the_one
from mnist_bench.tracking.writing import whole_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from mlflow.entities import Run

    from mnist_bench.specs import RunResult, RunSpec
    from mnist_bench.tracking.database import Database
    from mnist_bench.tracking.outbox import Outbox
    from mnist_bench.tracking.parents import Agenda
    from mnist_bench.tracking.store import Store

__all__ = ["Delivery", "Recorder"]

_LAST_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds between the last attempts, once all is trained
_LAST_SECONDS = 60.0  # after so many, no further attempt
_VAIN_SECONDS = 20.0  # spent on entries that MLflow doesn't take: then the others are left for another time


@dataclass(frozen=True)
class Delivery:
    """What became of the outbox's leftovers."""

    delivered: int
    faults: tuple[str, ...]  # why the others weren't: a line for each file that can't be read, and for each trouble


@dataclass
class _Waiting:
    """A result that is not in MLflow yet."""

    entry: Path
    result: RunResult | None  # None: it is on disk alone
    fresh: bool = True  # nobody can have tried to deliver it


class Recorder:
    """Writes runs through `outbox` to `store`. As a context it ends the parents that are still under way.

    Where MLflow doesn't answer, runs wait in the outbox, and it is tried again after a while. Where the disk is full
    they go to MLflow directly, and wait in memory for what comes first.

    Args:
        store: where to.
        outbox: where runs wait.
        keep_models: whether every run's model is kept; otherwise the best of each variant, by validation.
        on_trouble: called with a line once runs begin to wait, and once they no longer do.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        *,
        keep_models: bool = False,
        on_trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._client = store.client
        self._outbox = outbox
        self._on_trouble = on_trouble
        self._parents = Parents(store)
        self._files = Files(store, self._parents, keep_models=keep_models)
        self._queue: deque[_Waiting] = deque()
        self._patience = Patience()
        self.trouble = ""  # why runs wait, if any do

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the parents; where MLflow doesn't answer, whoever opens the experiment next does.

        Raises:
            StoreError: it doesn't answer, and nothing else is wrong.
        """
        status = "FINISHED" if kind is None else "FAILED" if issubclass(kind, Exception) else "KILLED"
        with contextlib.suppress(*[StoreError] if kind else []), self._store.answering():
            self._parents.end_all(status)

    @property
    def waiting(self) -> int:
        """How many runs wait for MLflow in the outbox."""
        return sum(item.result is None for item in self._queue)

    @property
    def unkept(self) -> int:
        """How many runs are nowhere but in memory: neither disk nor MLflow takes them."""
        return len(self._queue) - self.waiting

    def experiment(self, spec: RunSpec) -> str:
        """The id of the experiment that a run belongs to; it is made if need be.

        Raises:
            StoreError: the store doesn't answer, somebody has deleted it, or a newer version wrote it.
        """
        with self._store.answering():
            return self._parents.experiment(spec)

    def prepare(self, agenda: Agenda) -> dict[str, str]:
        """Make the suite's experiment and a parent a variant, or find them again, and note on them what is planned.

        Returns:
            the parents' run ids, by variant. They are RUNNING until the recorder's context ends.

        Raises:
            StoreError: the store doesn't answer.
        """
        with self._store.answering():
            return self._parents.prepare(agenda)

    def record(self, result: RunResult) -> None:
        """Record one run: on disk first, then in MLflow, and then it leaves the disk again.

        Where MLflow didn't answer a while ago, it stays in the outbox for now.
        """
        result = self._files.without_surpassed_model(result)
        item = _Waiting(self._outbox.path(result), result)
        self._queue.append(item)
        kept = self._keep(item.entry, result)
        if self._patience.due:
            self._send()
        elif kept:
            self._put_off(item)

    def settle(self) -> None:
        """Try again, for a minute or so, what still waits."""
        began = time.monotonic()
        for pause in _LAST_PAUSES:
            if not self._queue or time.monotonic() - began > _LAST_SECONDS:
                return
            time.sleep(pause)
            self._send()

    def deliver(self) -> Delivery:
        """Record what an earlier process left in the outbox, or began to record; what another has in hand is left."""
        half = [path for path in self._outbox.half_written() if self._outbox.hold(path)]  # by whom is dead now
        faults = [str(self._outbox.reject(path, "half-written")) for path in half]
        delivered, vain_seconds = 0, 0.0
        for entry in self._outbox.entries():
            began = time.monotonic()
            try:
                delivered += self._hand_over(_Waiting(entry, None, fresh=False))
            except (StoreError, UnreadableError) as fault:
                faults.append(str(fault))
                vain_seconds += time.monotonic() - began
            if vain_seconds > _VAIN_SECONDS:
                break
        return Delivery(delivered, tuple(dict.fromkeys(faults)))

    def _keep(self, entry: Path, result: RunResult) -> bool:
        """Whether the result is on disk now."""
        try:
            self._outbox.put(result, entry)
        except OSError as fault:
            self._begin_trouble(f"{self._outbox.folder}: {fault.strerror or fault}")
            return False
        return True

    def _put_off(self, item: _Waiting) -> None:
        """Let a result that is on disk wait there, where any process may deliver it."""
        item.result, item.fresh = None, False
        self._outbox.release(item.entry)

    def _send(self) -> None:
        """Hand over all that waits, as far as MLflow takes it."""
        began, many = time.monotonic(), len(self._queue)
        for _ in range(many):
            item = self._queue.popleft()
            try:
                self._hand_over(item)
            except UnreadableError as fault:  # what was whole when it was written
                self._on_trouble(str(fault))
            except StoreError as fault:
                self._queue.append(item)  # last, so that one that can't be delivered holds up no other
                self._miss(fault, time.monotonic() - began)
                return
        self._patience.worked(time.monotonic() - began)
        if self.trouble:
            self._on_trouble(f"Recording goes on: {many} runs that waited are in MLflow now.")
            self.trouble = ""

    def _miss(self, fault: StoreError, took_seconds: float) -> None:
        """MLflow doesn't answer: all that is on disk, or can be by now, waits there."""
        self._patience.failed(took_seconds)
        self._begin_trouble(str(fault))
        for item in self._queue:
            if item.result is not None and (item.entry.exists() or self._keep(item.entry, item.result)):
                self._put_off(item)

    def _begin_trouble(self, why: str) -> None:
        if not self.trouble:
            self._on_trouble(f"{why}. Training goes on: what is finished waits in {self._outbox.folder}.")
        self.trouble = why

    def _hand_over(self, item: _Waiting) -> bool:
        """Deliver a result, unless it is in MLflow already; False where another process has it in hand.

        Raises:
            StoreError: MLflow doesn't take it.
            UnreadableError: its entry can't be read.
        """
        if item.result is None and not self._outbox.hold(item.entry):
            return False
        try:
            result = item.result or self._outbox.read(item.entry)
            with self._store.answering():
                if item.fresh:
                    self._deliver(item.entry, result, begun=None)
                elif not self._is_known(item.entry, result):
                    self._deliver(item.entry, result, self._begun(item.entry, result))
            self._outbox.remove(item.entry)
        except FileNotFoundError:
            return False
        finally:
            item.fresh = False
            if item.result is None:
                self._outbox.release(item.entry)
        return True

    def record_aggregates(self, parent: str, figures: Mapping[str, float], words: Mapping[str, str]) -> None:
        """Give a parent what its seeds come to so far: figures as metrics, words (its verdict) as tags.

        Raises:
            StoreError: the store doesn't answer.
        """
        with self._store.answering():
            self._client.log_batch(parent, translation.figures(figures, time.time()), tags=translation.as_tags(words))

    def _begun(self, entry: Path, result: RunResult) -> Run | None:
        """The run that was made for this very entry."""
        return the_one(self._client, self._parents.experiment(result.spec), of_delivery(entry.stem))

    def _is_known(self, entry: Path, result: RunResult) -> bool:
        """Whether another process has trained and recorded the same run, since this one was thought to be dead."""
        if not result.finished:
            return False
        parent = self._parents.of(result.spec)
        same = f"tags.run_key = '{result.spec.key}' AND tags.`mlflow.parentRunId` = '{parent}'"
        found = self._client.search_runs([self._parents.experiment(result.spec)], same)
        return any(run.info.status == "FINISHED" and run.data.tags["delivery"] != entry.stem for run in found)

    def _deliver(self, entry: Path, result: RunResult, begun: Run | None) -> None:
        parent = self._parents.of(result.spec)
        if begun is None and self._store.database:
            self._write(self._store.database, entry, parent, result)
            return
        run = begun or make_the_one(
            self._client,
            self._parents.experiment(result.spec),
            of_delivery(entry.stem),
            start_time=translation.milliseconds(result.started_at),
            tags=translation.run_tags(result, parent=parent, delivery=entry.stem),
            run_name=translation.run_name(result.spec),
        )
        if run.info.status not in translation.ENDED:  # RUNNING, or KILLED by whoever took it for given up
            self._complete(run, parent, result)

    def _complete(self, run: Run, parent: str, result: RunResult) -> None:
        """Give a run all that belongs to it, its state last. What is there already is written over by the same."""
        run_id = run.info.run_id
        self._client.log_batch(run_id, translation.metrics(result), translation.params(result.spec))
        self._client.log_inputs(run_id, [translation.dataset_input(result.spec)])
        self._files.keep(run_id, run.info.artifact_uri, parent, result)
        end = translation.milliseconds(result.started_at + result.seconds)
        self._client.set_terminated(run_id, translation.status(result), end)

    def _write(self, database: Database, entry: Path, parent: str, result: RunResult) -> None:
        """The same at once: its files, then all else in one transaction."""
        experiment = self._parents.experiment(result.spec)
        run_id = uuid.uuid5(uuid.NAMESPACE_OID, entry.stem).hex  # so that a second delivery makes no second run
        artifact_uri = f"{database.artifact_location(experiment)}/{run_id}/artifacts"
        self._files.keep(run_id, artifact_uri, parent, result)
        delivered = {"parent": parent, "delivery": entry.stem, "artifact_uri": artifact_uri}
        database.write(whole_run(result, run_id=run_id, experiment=experiment, **delivered))
