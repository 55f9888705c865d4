"""What counts of a suite, read from MLflow alone."""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.errors import StoreError, nearest
from mnist_bench.tracking import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow.entities import Experiment, Run

    from mnist_bench.tracking.store import Store

__all__ = ["Suite", "read_suite", "suites_on"]

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
]
_RUN_COLUMNS = ["variant", "seed", "pair", "run_key", "finished", "cause", "run_id", "started_at", "seconds"]


@dataclass(frozen=True)
class Suite:
    """What counts of a suite on a dataset: the variants and seeds of the last plan, and one run for each at most.

    `variants`, a row each, the baseline first: variant, variant_key, role, question, seeds_planned (a list),
    seed_offset, looks (the numbers of seeds at which one looks at its results), epochs (of its recipe), run_id (of its
    parent). `runs`, a row each: variant, seed, pair (what it shares with the runs that it is paired with: the seed,
    less the variant's offset), run_key, finished, cause, run_id, started_at (UTC), seconds, and a column for each
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


def read_suite(store: Store, suite: str, dataset: str | None = None) -> Suite:
    """What counts of a suite: on `dataset`, or on the one that it was last planned for.

    A run that is still under way counts as neither finished nor failed. For a seed that both failed and finished
    the finished run counts; otherwise the latest one.

    Raises:
        StoreError: no such suite or dataset is recorded, a newer version recorded it, or the store doesn't answer.
    """
    with store.answering():
        experiment = _find_experiment(store, suite, dataset)
        schema.check(experiment)
        _check_judged(experiment)
        runs = store.runs(experiment.experiment_id)
    edition = experiment.tags["edition"]
    parents = {run.info.run_id: run for run in runs if run.data.tags.get("edition") == edition}
    variants = pd.DataFrame([_variant_row(run) for run in parents.values()], columns=_VARIANT_COLUMNS)
    variants = variants.sort_values(["role", "variant"], ignore_index=True)  # "baseline" sorts before "variant"
    rows = [
        _run_row(run, parents[parent].data.tags)
        for run in _that_count(runs)
        if (parent := run.data.tags["mlflow.parentRunId"]) in parents
        and int(run.data.tags["seed"]) in json.loads(parents[parent].data.tags["seeds_planned"])
    ]
    rows.sort(key=operator.itemgetter("variant", "seed"))  # in whatever order they ended: sums are of the same bits
    return Suite(
        suite,
        experiment.tags["dataset"],
        experiment.tags["question"],
        experiment.tags["planned_at"],
        edition,
        float(experiment.tags["smallest_effect_pp"]),
        variants,
        pd.DataFrame(rows, columns=None if rows else _RUN_COLUMNS),
    )


def suites_on(store: Store, dataset: str) -> set[str]:
    """The suites that were ever planned on a dataset.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        return {found.tags["suite"] for found in _planned(store) if found.tags["dataset"] == dataset}


def _planned(store: Store) -> list[Experiment]:
    return [found for found in store.client.search_experiments() if "planned_at" in found.tags]


def _find_experiment(store: Store, suite: str, dataset: str | None) -> Experiment:
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


def _check_judged(experiment: Experiment) -> None:
    if "smallest_effect_pp" not in experiment.tags:
        raise StoreError(
            f"{experiment.name} was recorded before there were verdicts: give its `mnist-bench run` once more; "
            "what is finished is not trained again"
        )


def _that_count(runs: list[Run]) -> Iterator[Run]:
    """Of the ended runs with the same parent and run key, the finished one, or the latest."""
    chosen: dict[tuple[str, str], Run] = {}
    for run in runs:
        if "run_key" in run.data.tags and run.info.status in {"FINISHED", "FAILED"}:
            place = (run.data.tags["mlflow.parentRunId"], run.data.tags["run_key"])
            chosen[place] = max(run, chosen.get(place, run), key=_precedence)
    yield from chosen.values()


def _precedence(run: Run) -> tuple[bool, int]:
    return run.info.status == "FINISHED", run.info.end_time


def _variant_row(run: Run) -> dict[str, object]:
    tags = run.data.tags
    return {
        **{name: tags[name] for name in ("variant", "variant_key", "role", "question")},
        "seeds_planned": json.loads(tags["seeds_planned"]),
        "seed_offset": int(tags["seed_offset"]),
        "looks": tuple(json.loads(tags["looks"])),
        "epochs": int(run.data.params["recipe.epochs"]),
        "run_id": run.info.run_id,
    }


def _run_row(run: Run, parent: Mapping[str, str]) -> dict[str, object]:
    tags = run.data.tags
    seed = int(tags["seed"])
    return {
        "variant": parent["variant"],
        "seed": seed,
        "pair": seed - int(parent["seed_offset"]),
        "run_key": tags["run_key"],
        "finished": run.info.status == "FINISHED",
        "cause": tags.get("cause"),
        "run_id": run.info.run_id,
        "started_at": pd.Timestamp(run.info.start_time, unit="ms", tz="UTC"),
        "seconds": (run.info.end_time - run.info.start_time) / 1000,
        **run.data.metrics,
    }
