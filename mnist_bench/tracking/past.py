"""What was recorded of a suite before, under whatever plan."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mnist_bench.specs import RunSpec
from mnist_bench.tracking import schema
from mnist_bench.tracking.translation import experiment_name

if TYPE_CHECKING:
    from mlflow.entities import Run

    from mnist_bench.tracking.store import Store

__all__ = ["Past", "read_past"]


@dataclass(frozen=True)
class Past:
    """All runs of a suite on a dataset that ever finished, latest first, with their variants' present names."""

    _runs: tuple[tuple[str, Run], ...]

    def finished(self) -> dict[tuple[str, str], str]:
        """The latest finished run's id, by variant and run key."""
        return {(variant, run.data.tags["run_key"]): str(run.info.run_id) for variant, run in reversed(self._runs)}

    def spec(self, variant: str, seed: int) -> RunSpec | None:
        """What was trained in the latest run of a variant with a seed; None if there is none that can be read."""
        for name, run in self._runs:
            if name == variant and run.data.tags["seed"] == str(seed):
                try:
                    return RunSpec.model_validate_json(run.data.tags["spec"])
                except ValidationError:  # by a version that knew other fields
                    return None
        return None

    def epoch_seconds(self, variant: str) -> float | None:
        """The median seconds that the last epoch of a variant's runs took; None if it never ran."""
        seen = [run.data.metrics.get("epoch_seconds") for name, run in self._runs if name == variant]
        seconds = [value for value in seen if value is not None]
        return statistics.median(seconds) if seconds else None


def read_past(store: Store, suite: str, dataset: str) -> Past:
    """What finished before, under whatever plan; nothing if this suite never ran on this dataset.

    Raises:
        StoreError: the store doesn't answer, or a newer version wrote there.
    """
    with store.answering():
        experiment = store.client.get_experiment_by_name(experiment_name(suite, dataset))
        if experiment:
            schema.check(experiment)
        runs = store.runs(experiment.experiment_id) if experiment else []
    names = {run.info.run_id: run.data.tags["variant"] for run in runs if "role" in run.data.tags}
    children = [run for run in runs if "run_key" in run.data.tags and run.info.status == "FINISHED"]
    children.sort(key=lambda run: run.info.end_time, reverse=True)
    parents = [(run.data.tags["mlflow.parentRunId"], run) for run in children]
    return Past(tuple((names[parent], run) for parent, run in parents if parent in names))  # a parent can be deleted
