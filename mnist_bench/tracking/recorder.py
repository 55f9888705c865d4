"""Finished runs, written to MLflow: each exactly once, whatever is cut short."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from mnist_bench.tracking import artifacts, translation
from mnist_bench.tracking.parents import Parents
from mnist_bench.tracking.writing import WholeRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from mlflow.entities import Run

    from mnist_bench.specs import RunResult
    from mnist_bench.tracking.database import Database
    from mnist_bench.tracking.outbox import Outbox
    from mnist_bench.tracking.parents import Agenda
    from mnist_bench.tracking.store import Store

__all__ = ["Delivery", "Recorder"]


@dataclass(frozen=True)
class Delivery:
    """What became of the outbox's leftovers."""

    delivered: int
    rejected: tuple[Path, ...]  # files that can't be read, as they were called before they were set aside


class Recorder:
    """Writes runs through `outbox` to `store`. As a context it ends the parents that are still under way.

    With `keep_models` every run's model is kept; otherwise the best of each variant, by validation.
    All methods raise StoreError where the store doesn't answer.
    """

    def __init__(self, store: Store, outbox: Outbox, *, keep_models: bool = False) -> None:
        self._store = store
        self._client = store.client
        self._outbox = outbox
        self._keep_models = keep_models
        self._parents = Parents(store)
        self._best: dict[str, tuple[str | None, list[float]]] = {}  # run id and score, by parent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        status = "FINISHED" if kind is None else "FAILED" if issubclass(kind, Exception) else "KILLED"
        with self._store.answering():
            self._parents.end_all(status)

    def prepare(self, agenda: Agenda) -> dict[str, str]:
        """Make the suite's experiment and a parent a variant, or find them again, and note on them what is planned.

        Returns:
            the parents' run ids, by variant. They are RUNNING until the recorder's context ends.
        """
        with self._store.answering():
            return self._parents.prepare(agenda)

    def record(self, result: RunResult) -> str:
        """Record one run: on disk first, then in MLflow, and then it leaves the disk again.

        Returns:
            the run's id in MLflow.

        Raises:
            StoreError: the store doesn't answer. The run is safe in the outbox, from which `deliver` records it.
        """
        result = self._without_surpassed_model(result)
        entry = self._outbox.put(result)
        with self._store.answering():
            return self._deliver(entry, result, begun=None)

    def deliver(self) -> Delivery:
        """Record what an earlier process left in the outbox, or began to record."""
        delivered, rejected = 0, []
        for entry in self._outbox.entries():
            result = self._outbox.read(entry)
            if result is None:
                rejected.append(entry)
                continue
            with self._store.answering():
                self._deliver(entry, result, begun=self._begun(entry, result))
            delivered += 1
        return Delivery(delivered, tuple(rejected))

    def record_aggregates(self, parent: str, figures: Mapping[str, float], words: Mapping[str, str]) -> None:
        """Give a parent what its seeds come to so far: figures as metrics, words (its verdict) as tags."""
        with self._store.answering():
            self._client.log_batch(parent, translation.figures(figures, time.time()), tags=translation.as_tags(words))

    def _begun(self, entry: Path, result: RunResult) -> Run | None:
        """The run that an earlier delivery of this very entry made."""
        experiment = self._parents.experiment(result.spec)
        found = self._client.search_runs([experiment], f"tags.delivery = '{entry.stem}'", max_results=1)
        return found[0] if found else None

    def _deliver(self, entry: Path, result: RunResult, begun: Run | None) -> str:
        parent = self._parents.of(result.spec)
        if begun is None and self._store.database:
            run_id = self._write(self._store.database, entry, parent, result)
            self._outbox.remove(entry)
            return run_id
        run = begun or self._client.create_run(
            self._parents.experiment(result.spec),
            translation.milliseconds(result.started_at),
            translation.run_tags(result, parent=parent, delivery=entry.stem),
            run_name=translation.run_name(result.spec),
        )
        if run.info.status == "RUNNING":
            self._complete(run, parent, result)
        self._outbox.remove(entry)
        return str(run.info.run_id)

    def _complete(self, run: Run, parent: str, result: RunResult) -> None:
        """Give a run all that belongs to it, its state last. What is there already is written over by the same."""
        run_id = run.info.run_id
        self._client.log_batch(run_id, translation.metrics(result), translation.params(result.spec))
        self._client.log_inputs(run_id, [translation.dataset_input(result.spec)])
        self._keep_files(run_id, run.info.artifact_uri, parent, result)
        end = translation.milliseconds(result.started_at + result.seconds)
        self._client.set_terminated(run_id, "FINISHED" if result.finished else "FAILED", end)

    def _write(self, database: Database, entry: Path, parent: str, result: RunResult) -> str:
        """The same at once: its files, then all else in one transaction."""
        experiment = self._parents.experiment(result.spec)
        run_id = uuid.uuid5(uuid.NAMESPACE_OID, entry.stem).hex  # so that a second delivery makes no second run
        artifact_uri = f"{database.artifact_location(experiment)}/{run_id}/artifacts"
        self._keep_files(run_id, artifact_uri, parent, result)
        database.write(
            WholeRun(
                run_id=run_id,
                experiment=experiment,
                name=translation.run_name(result.spec),
                status="FINISHED" if result.finished else "FAILED",
                start_time=translation.milliseconds(result.started_at),
                end_time=translation.milliseconds(result.started_at + result.seconds),
                artifact_uri=artifact_uri,
                tags=translation.run_tags(result, parent=parent, delivery=entry.stem),
                params=translation.params(result.spec),
                metrics=translation.metrics(result),
                dataset=translation.dataset_input(result.spec),
            )
        )
        return run_id

    def _keep_files(self, run_id: str, artifact_uri: str, parent: str, result: RunResult) -> None:
        """Write the run's files, and its model if that is the variant's best so far; the former best loses its own."""
        content = dict(result.artifacts)
        if result.model is None or not result.finished:
            artifacts.upload(self._store, artifact_uri, content)
            return
        (former, to_beat), score = self._best_of(parent), artifacts.selection_score(result)
        best = former in {None, run_id} or score > to_beat
        if best or self._keep_models:
            content[artifacts.MODEL] = result.model
        artifacts.upload(self._store, artifact_uri, content)
        if best and former != run_id:
            best_tags = translation.as_tags({"best_run_id": run_id, "best_score": json.dumps(score)})
            self._client.log_batch(parent, tags=best_tags)
            self._best[parent] = (run_id, score)
            if former and not self._keep_models:
                artifacts.delete_model(self._store, former)

    def _without_surpassed_model(self, result: RunResult) -> RunResult:
        """A result as it is put on disk: a model that is known not to be kept needn't be, and is most of its bytes."""
        former, to_beat = self._best.get(self._parents.known(result.spec) or "", (None, []))
        if self._keep_models or result.model is None or not result.finished or former is None:
            return result
        return result if artifacts.selection_score(result) > to_beat else replace(result, model=None)

    def _best_of(self, parent: str) -> tuple[str | None, list[float]]:
        """A variant's best run so far and its score, read from MLflow once: then this is the only writer."""
        if parent not in self._best:
            tags = self._client.get_run(parent).data.tags
            self._best[parent] = (tags.get("best_run_id"), json.loads(tags.get("best_score", "[]")))
        return self._best[parent]
