"""The files of runs, and of each variant's models the best."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from mnist_bench.tracking import artifacts, translation

if TYPE_CHECKING:
    from mnist_bench.specs import RunResult
    from mnist_bench.tracking.parents import Parents
    from mnist_bench.tracking.store import Store

__all__ = ["Files"]


class Files:
    """Keeps what runs leave, and with `keep_models` every run's model; otherwise the best of each variant."""

    def __init__(self, store: Store, parents: Parents, *, keep_models: bool) -> None:
        self._store = store
        self._parents = parents
        self._keep_models = keep_models
        self._best: dict[str, tuple[str | None, list[float]]] = {}  # run id and score, by parent

    def keep(self, run_id: str, artifact_uri: str, parent: str, result: RunResult) -> None:
        """Write the run's files, and its model if that is the variant's best so far; the former best loses its own."""
        content = dict(result.artifacts)
        if result.model is None or not result.finished:
            artifacts.upload(self._store, artifact_uri, content)
            return
        score = artifacts.selection_score(result)
        if parent in self._best and score > self._best[parent][1]:
            del self._best[parent]  # another process may have delivered a better one meanwhile
        former, to_beat = self._best_of(parent)
        best = former in {None, run_id} or score > to_beat
        if best or self._keep_models:
            content[artifacts.MODEL] = result.model
        artifacts.upload(self._store, artifact_uri, content)
        if best and former != run_id:
            best_tags = translation.as_tags({"best_run_id": run_id, "best_score": json.dumps(score)})
            self._store.client.log_batch(parent, tags=best_tags)
            self._best[parent] = (run_id, score)
            if former and not self._keep_models:
                # Beside this run's: whose recording was cut short has files before it is a run.
                artifacts.delete_model(self._store, artifact_uri.replace(run_id, former))

    def without_surpassed_model(self, result: RunResult) -> RunResult:
        """A result as it is put on disk: a model that is known not to be kept needn't be, and is most of its bytes."""
        former, to_beat = self._best.get(self._parents.known(result.spec) or "", (None, []))
        if self._keep_models or result.model is None or not result.finished or former is None:
            return result
        return result if artifacts.selection_score(result) > to_beat else replace(result, model=None)

    def _best_of(self, parent: str) -> tuple[str | None, list[float]]:
        """A variant's best run so far and its score, read from MLflow unless it was."""
        if parent not in self._best:
            tags = self._store.client.get_run(parent).data.tags
            self._best[parent] = (tags.get("best_run_id"), json.loads(tags.get("best_score", "[]")))
        return self._best[parent]
