"""What counts of a suite, read from MLflow alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.errors import StoreError, nearest
from mnist_bench.tracking import schema
from mnist_bench.tracking.tables import recorded, tables
from mnist_bench.tracking.translation import seeds_of_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mnist_bench.tracking.store import Store
    from mnist_bench.tracking.tables import Recorded

__all__ = ["Suite", "planned_suites", "read_suite", "suites_on"]

_VARIANT_COLUMNS = [
    "variant",
    "variant_key",
    "role",
    "question",
    "seeds_planned",
    "seed_offset",
    "looks",
    "epochs",
    "run_id",
    "best_run_id",
]
_RUN_COLUMNS = ["variant", "seed", "pair", "run_key", "finished", "cause", "run_id", "started_at", "seconds"]
_ONLY_READ = ["status", "start_time", "end_time", "parent", "seed_offset"]


@dataclass(frozen=True)
class Suite:
    """What counts of a suite on a dataset: the variants and seeds of the last plan, and one run for each at most.

    `variants`, a row each, the baseline first: variant, variant_key, role, question, seeds_planned (a list),
    seed_offset, looks (the numbers of seeds at which one looks at its results), epochs (of its recipe), run_id (of its
    parent), best_run_id (of the run whose model is kept, the best by validation; None before one has finished).
    `runs`, a row each: variant, seed, pair (what it shares with the runs that it is paired with: the seed, less the
    variant's offset), run_key, finished, cause, run_id, started_at (UTC), seconds, and a column for each
    metric with its last value.
    """

    name: str
    dataset: str
    question: str
    planned_at: str  # ISO 8601, UTC
    edition: str  # of the suite as it was planned last
    smallest_effect_pp: float  # percentage points of test accuracy
    variants: pd.DataFrame
    runs: pd.DataFrame


def read_suite(store: Store, suite: str, dataset: str | None = None, *, metrics: Sequence[str] | None = None) -> Suite:
    """What counts of a suite: on `dataset`, or on the one that it was last planned for.

    A run that is still under way counts as neither finished nor failed. For a seed that both failed and finished
    the finished run counts; otherwise the latest one.

    Args:
        store: where it is recorded.
        suite: its name.
        dataset: the dataset's name.
        metrics: which of them are wanted, where reading all takes longer.

    Raises:
        StoreError: no such suite or dataset is recorded, a newer version recorded it, or the store doesn't answer.
    """
    experiment = _find_experiment(store, suite, dataset)
    schema.check(experiment)
    _check_judged(experiment)
    edition = experiment.tags["edition"]
    found = tables(store, experiment.id, metrics)
    parents = {run: tags for run, tags in found.parents.items() if tags.get("edition") == edition}
    variants = pd.DataFrame([_variant_row(run, tags) for run, tags in parents.items()], columns=_VARIANT_COLUMNS)
    variants = variants.sort_values(["role", "variant"], ignore_index=True)  # "baseline" sorts before "variant"
    return Suite(
        suite,
        experiment.tags["dataset"],
        experiment.tags["question"],
        experiment.tags["planned_at"],
        edition,
        float(experiment.tags["smallest_effect_pp"]),
        variants,
        _that_count(found.runs, variants),
    )


def suites_on(store: Store, dataset: str) -> set[str]:
    """The suites that were ever planned on a dataset.

    Raises:
        StoreError: the store doesn't answer.
    """
    return {found.tags["suite"] for found in _planned(store) if found.tags["dataset"] == dataset}


def planned_suites(store: Store, suite: str | None, dataset: str | None) -> list[tuple[str, str]]:
    """Suites and their datasets, by name: all that were ever planned, or of `suite`, or on `dataset` alone.

    Raises:
        StoreError: there is none, or the store doesn't answer.
    """
    if suite is not None:
        _find_experiment(store, suite, dataset)
    known = sorted((found.tags["suite"], found.tags["dataset"]) for found in _planned(store))
    wanted = [(name, on) for name, on in known if suite in {None, name} and dataset in {None, on}]
    if not wanted:
        hint = nearest(dataset, {on for _, on in known}) if dataset and known else "run `mnist-bench run` first"
        raise StoreError(
            f"no run of any suite{f' on {dataset!r}' if dataset else ''} in {store.location.address}; {hint}"
        )
    return wanted


def _planned(store: Store) -> list[Recorded]:
    return [found for found in recorded(store) if "planned_at" in found.tags]


def _find_experiment(store: Store, suite: str, dataset: str | None) -> Recorded:
    """The experiment of a suite on a dataset, or on the one that was planned last."""
    planned = _planned(store)
    of_suite = [found for found in planned if found.tags["suite"] == suite]
    if not of_suite:
        known = {found.tags["suite"] for found in planned}
        hint = nearest(suite, known) if known else "run `mnist-bench run` first"
        raise StoreError(f"no run of suite {suite!r} in {store.location.address}; {hint}")
    on_dataset = [found for found in of_suite if dataset in {None, found.tags["dataset"]}]
    if not on_dataset:
        hint = nearest(str(dataset), {found.tags["dataset"] for found in of_suite})
        raise StoreError(f"no run of suite {suite!r} on {dataset!r} in {store.location.address}; {hint}")
    return max(on_dataset, key=lambda found: found.tags["planned_at"])


def _check_judged(experiment: Recorded) -> None:
    if "smallest_effect_pp" not in experiment.tags:
        raise StoreError(
            f"{experiment.name} was recorded before there were verdicts: give its `mnist-bench run` once more; "
            "what is finished is not trained again"
        )


def _variant_row(run_id: str, tags: Mapping[str, str]) -> dict[str, object]:
    return {
        **{name: tags[name] for name in ("variant", "variant_key", "role", "question")},
        "seeds_planned": seeds_of_text(tags["seeds_planned"]),
        "seed_offset": int(tags["seed_offset"]),
        "looks": tuple(json.loads(tags["looks"])),
        "epochs": int(tags["recipe.epochs"]),
        "run_id": run_id,
        "best_run_id": tags.get("best_run_id"),
    }


def _that_count(runs: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Of the ended runs with the same parent and run key the finished one, or the latest; if its seed is planned."""
    runs = runs[runs["parent"].isin(variants["run_id"])]
    runs = runs.assign(finished=runs["status"] == "FINISHED", seed=runs["seed"].astype("int64"))
    runs = runs.sort_values(["finished", "end_time"], ascending=False, kind="stable")
    runs = runs.drop_duplicates(["parent", "run_key"])
    planned = variants[["run_id", "variant", "seed_offset", "seeds_planned"]].explode("seeds_planned")
    planned = planned.rename(columns={"run_id": "parent", "seeds_planned": "seed"}).astype({"seed": "int64"})
    runs = runs.merge(planned, on=["parent", "seed"], how="inner")
    # In whatever order they ended: what is computed of them has the same bits.
    runs = runs.sort_values(["variant", "seed"], ignore_index=True)
    runs = runs.assign(
        pair=runs["seed"] - runs["seed_offset"],
        started_at=pd.to_datetime(runs["start_time"], unit="ms", utc=True),
        seconds=(runs["end_time"] - runs["start_time"]) / 1000,
    )
    metrics = [name for name in runs.columns if name not in {*_RUN_COLUMNS, *_ONLY_READ}]
    return runs[[*_RUN_COLUMNS, *metrics]]
