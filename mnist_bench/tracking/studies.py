"""A study in MLflow: a parent run, and its trials as the children.

The study's own storage is what counts, and has all that is recorded here: what a killed search didn't come to record
is recorded by the next one.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import TYPE_CHECKING

from mnist_bench.errors import StoreError
from mnist_bench.tracking import artifacts, translation
from mnist_bench.tracking.leases import Lease
from mnist_bench.tracking.parents import experiment_id
from mnist_bench.tracking.twins import make_the_one, of_delivery, the_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow.entities import Run

    from mnist_bench.specs import RunResult
    from mnist_bench.tracking.store import Store

__all__ = ["StudyRecorder"]

_EXPERIMENT = "tuning"
# A trial's state as the tag `trial_state`, and as MLflow's: a pruned one was ended before its time, and didn't fail.
_STATUS = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


class StudyRecorder:
    """Writes one study to `store`: as the parent that bears its identity, which is made or found again.

    All methods raise StoreError where the store doesn't answer.

    Args:
        store: where.
        study: the study's name.
        identity: what tells it from others of that name.
        dataset: the dataset's name.
        settings: what its trials share, by dotted name: the parent's parameters.
    """

    def __init__(self, store: Store, study: str, identity: str, dataset: str, settings: Mapping[str, str]) -> None:
        self._store = store
        self._client = store.client
        self._study = study
        self._identity = identity
        with store.answering():
            name = translation.experiment_name(_EXPERIMENT, dataset)
            self._experiment = experiment_id(store, name, {"dataset": dataset})
        with Lease(store, self._experiment, [identity]), store.answering():  # two searches may begin at once
            self._parent = self._find_or_make(settings)
            self._children = self._known()

    @contextlib.contextmanager
    def presence(self) -> Iterator[None]:
        """Within the block a lease shows that a search of this study is alive; several may be.

        If the store no longer answers at its end, the lease ends with the process: the search's findings don't need it.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(Lease(self._store, self._experiment, [f"{self._identity} {uuid.uuid4().hex}"]))
            yield
            with contextlib.suppress(StoreError):
                stack.close()

    @property
    def recorded(self) -> set[int]:
        """The numbers of the trials that are recorded in full."""
        return {number for number, run in self._children.items() if run.info.status != "RUNNING"}

    def record(self, number: int, result: RunResult) -> None:
        """Record a trial that ended, once: as it ended."""
        if number in self.recorded:
            return
        state = "finished" if result.finished else "pruned" if result.pruned else "failed"
        with self._store.answering():
            run = self._children.get(number) or self._begun(number) or self._begin(number, result, state)
            run_id = run.info.run_id
            self._client.log_batch(run_id, translation.metrics(result), translation.params(result.spec))
            self._client.log_inputs(run_id, [translation.dataset_input(result.spec)])
            end = translation.milliseconds(result.started_at + result.seconds)
            self._client.set_terminated(run_id, _STATUS[state], end)
            self._children[number] = self._client.get_run(run_id)

    def end(self, status: str) -> None:
        """End the parent: FINISHED, FAILED or KILLED."""
        with self._store.answering():
            self._client.set_terminated(self._parent, status)

    def conclude(self, figures: Mapping[str, float], words: Mapping[str, str], files: Mapping[str, bytes]) -> None:
        """Give the parent what the study came to: figures as metrics, words as tags, files as artifacts."""
        with self._store.answering():
            metrics, tags = translation.figures(figures, time.time()), translation.as_tags(words)
            self._client.log_batch(self._parent, metrics, tags=tags)
            artifacts.upload(self._store, self._client.get_run(self._parent).info.artifact_uri, files)

    def _find_or_make(self, settings: Mapping[str, str]) -> str:
        which = f"tags.study_identity = '{self._identity}'"
        tags = {"study": self._study, "study_identity": self._identity}
        made = {"start_time": translation.milliseconds(time.time()), "tags": tags, "run_name": self._study}
        parent = the_one(self._client, self._experiment, which) or make_the_one(
            self._client, self._experiment, which, **made
        )
        self._client.update_run(parent.info.run_id, status="RUNNING")
        if not parent.data.params:
            self._client.log_batch(parent.info.run_id, params=translation.as_params(settings))
        return str(parent.info.run_id)

    def _known(self) -> dict[int, Run]:
        """The children that are there, by their trials' numbers."""
        children = [run for run in self._store.runs(self._experiment) if self._is_ours(run)]
        return {int(run.data.tags["trial"]): run for run in children}

    def _is_ours(self, run: Run) -> bool:
        return "trial" in run.data.tags and run.data.tags.get("mlflow.parentRunId") == self._parent

    def _begun(self, number: int) -> Run | None:
        """The child that was made for a trial, perhaps by another search of the study."""
        return the_one(self._client, self._experiment, of_delivery(self._delivery(number)))

    def _delivery(self, number: int) -> str:
        return f"{self._identity}-{number}"

    def _begin(self, number: int, result: RunResult, state: str) -> Run:
        labels = {"study": self._study, "trial": str(number), "trial_state": state}
        tags = translation.run_tags(result, parent=self._parent, delivery=self._delivery(number))
        made = {"start_time": translation.milliseconds(result.started_at), "tags": {**tags, **labels}}
        which, name = of_delivery(self._delivery(number)), f"trial {number}"
        return make_the_one(self._client, self._experiment, which, run_name=name, **made)
