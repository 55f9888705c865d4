"""What was recorded of a suite before, under whatever plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_bench.errors import StoreError
from mnist_bench.tracking import schema
from mnist_bench.tracking.recorded import read_spec
from mnist_bench.tracking.translation import experiment_name

if TYPE_CHECKING:
    import pandas as pd

    from mnist_bench.specs import RunSpec
    from mnist_bench.tracking.store import Store

__all__ = ["Past", "read_past"]

_SPEED = "epoch_seconds"


@dataclass(frozen=True)
class Past:
    """All runs of a suite on a dataset that ever finished, latest first, with their variants' present names."""

    _store: Store | None = None
    _runs: pd.DataFrame | None = None  # variant, run_key, seed, run_id, and epoch_seconds if any has recorded it

    def finished(self) -> dict[tuple[str, str], str]:
        """The latest finished run's id, by variant and run key."""
        if self._runs is None:
            return {}
        first = self._runs.drop_duplicates(["variant", "run_key"])
        return dict(zip(zip(first["variant"], first["run_key"], strict=True), first["run_id"], strict=True))

    def spec(self, variant: str, seed: int) -> RunSpec | None:
        """What was trained in the latest run of a variant with a seed; None if there is none that can be read.

        Raises:
            StoreError: the store doesn't answer.
        """
        if self._store is None or self._runs is None:
            return None
        found = self._runs[(self._runs["variant"] == variant) & (self._runs["seed"] == str(seed))]
        if found.empty:
            return None
        with self._store.answering():
            run = self._store.client.get_run(found["run_id"].iloc[0])
        try:
            return read_spec(run)
        except StoreError:  # another version wrote it
            return None

    def epoch_seconds(self, variant: str) -> float | None:
        """The median seconds that the last epoch of a variant's runs took; None if it never ran."""
        if self._runs is None or _SPEED not in self._runs:
            return None
        seconds = self._runs.loc[self._runs["variant"] == variant, _SPEED].dropna()
        return float(seconds.median()) if len(seconds) else None


def read_past(store: Store, suite: str, dataset: str) -> Past:
    """What finished before, under whatever plan; nothing if this suite never ran on this dataset.

    Raises:
        StoreError: the store doesn't answer, or a newer version wrote there.
    """
    from mnist_bench.tracking.tables import recorded, tables  # noqa: PLC0415 - pandas: a store is opened without it

    name = experiment_name(suite, dataset)
    experiment = next((found for found in recorded(store) if found.name == name), None)
    if experiment is None:
        return Past()
    schema.check(experiment)
    found = tables(store, experiment.id, [_SPEED])
    runs = found.runs[found.runs["status"] == "FINISHED"].sort_values("end_time", ascending=False, kind="stable")
    names = {run: tags["variant"] for run, tags in found.parents.items()}
    runs = runs.assign(variant=runs["parent"].map(names))
    return Past(store, runs[runs["variant"].notna()])  # a parent can be deleted
