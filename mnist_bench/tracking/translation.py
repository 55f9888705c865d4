"""What of a run becomes which of MLflow's parameters, tags, metrics and inputs."""

from __future__ import annotations

import functools
import getpass
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bench.values import flat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import DatasetInput, Metric, Param, RunTag

    from mnist_bench.specs import RunResult, RunSpec

__all__ = [
    "ENDED",
    "as_params",
    "as_tags",
    "dataset_input",
    "experiment_name",
    "figures",
    "metrics",
    "milliseconds",
    "params",
    "run_name",
    "run_tags",
    "seeds_as_text",
    "seeds_of_text",
    "status",
    "variant_tags",
]

ENDED = ("FINISHED", "FAILED")  # what MLflow calls runs that came to their end


def experiment_name(suite: str, dataset: str) -> str:
    """The experiment of a suite on a dataset."""
    return f"{suite}/{dataset}"


def milliseconds(seconds: float) -> int:
    """A moment as MLflow counts it: milliseconds since 1970."""
    return round(1000 * seconds)


def as_tags(values: Mapping[str, str]) -> list[RunTag]:
    """Tags as MLflow takes them in a batch."""
    from mlflow.entities import RunTag  # noqa: PLC0415 - whoever has a store has imported MLflow

    return [RunTag(name, value) for name, value in values.items()]


def as_params(values: Mapping[str, str]) -> list[Param]:
    """Parameters as MLflow takes them in a batch."""
    from mlflow.entities import Param  # noqa: PLC0415 - as above

    return [Param(name, value) for name, value in values.items()]


def params(spec: RunSpec) -> list[Param]:
    """What a variant is made of, by dotted name: `options.pooling`, `recipe.augment.rotation_degrees`."""
    described = spec.model_dump(mode="json", include={"architecture", "options", "recipe"})
    if spec.start_from:
        described["start_from"] = spec.start_from.variant
    return as_params({name: str(value) for name, value in flat(described) if value is not None})


def seeds_as_text(seeds: Sequence[int]) -> str:
    """Seeds as a tag: first and last of each stretch of them, since MLflow cuts off what is beyond 8,000 characters."""
    stretches: list[list[int]] = []
    for seed in seeds:
        if stretches and seed == stretches[-1][1] + 1:
            stretches[-1][1] = seed
        else:
            stretches.append([seed, seed])
    return json.dumps(stretches)


def seeds_of_text(text: str) -> list[int]:
    """The seeds of a tag, also of one that lists them singly, as the first schema had it."""
    stretches = [[each, each] if isinstance(each, int) else each for each in json.loads(text)]
    return [seed for first, last in stretches for seed in range(first, last + 1)]


def variant_tags(spec: RunSpec) -> dict[str, str]:
    """What all runs of a variant share, and their parent has too."""
    return {
        "suite": spec.suite,
        "variant": spec.variant,
        "variant_key": spec.variant_key,
        "dataset": spec.dataset.name,
        "data_digest": spec.dataset.digest,
    }


def status(result: RunResult) -> str:
    """How a run ended, in MLflow's word."""
    return "FINISHED" if result.finished else "FAILED"


def run_name(spec: RunSpec) -> str:
    """What MLflow's pages call a run."""
    return f"{spec.variant} seed {spec.seed}"


def run_tags(result: RunResult, *, parent: str, delivery: str) -> dict[str, str]:
    """All tags of one run: what it was, under which parent, on which machine, and why it failed if it did."""
    spec = result.spec
    commit = _git_commit()
    return {
        **variant_tags(spec),
        "mlflow.parentRunId": parent,
        "run_key": spec.key,
        "delivery": delivery,
        "seed": str(spec.seed),
        "split_digest": spec.dataset.split,
        "spec": spec.model_dump_json(),
        **_who(),
        **{f"environment.{name}": value for name, value in result.environment.items()},
        **({"mlflow.source.git.commit": commit} if commit else {}),
        **({"cause": result.cause} if result.cause else {}),
    }


def metrics(result: RunResult) -> list[Metric]:
    """One point a metric an epoch, counted from 1, each at the moment its epoch ended; then the final figures."""
    points = []
    moment = result.started_at
    for epoch, values in enumerate(result.history, start=1):
        moment += values.get("epoch_seconds", 0.0)
        points += figures(values, moment, epoch)
    return points + figures(result.metrics, result.started_at + result.seconds, len(result.history))


def figures(values: Mapping[str, float], moment: float, step: int = 0) -> list[Metric]:
    """One point of each metric, at a moment in seconds since 1970."""
    from mlflow.entities import Metric  # noqa: PLC0415 - as above

    return [Metric(name, float(value), milliseconds(moment), step) for name, value in values.items()]


def dataset_input(spec: RunSpec) -> DatasetInput:
    """The dataset as a run's input, with our digest: MLflow's own covers the first 10,000 numbers, 13 images."""
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415 - as above

    source = json.dumps({"digest": spec.dataset.digest, "split": spec.dataset.split})
    dataset = Dataset(spec.dataset.name, spec.dataset.digest, "mnist-bench", source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


@functools.cache
def _who() -> dict[str, str]:
    """Who runs this process, and where; the first is the tag that MLflow's pages show."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # in a container a number may have no name; Python 3.13 and before
        user = str(os.getuid())
    return {"mlflow.user": user, "host": platform.node()}


@functools.cache
def _git_commit() -> str | None:
    """The commit of the checkout that this package is run from, asked once a process."""
    git = shutil.which("git")
    if git is None:
        return None
    question = [git, "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    asked = subprocess.run(question, capture_output=True, text=True, check=False)  # noqa: S603 - no user's words in it
    return asked.stdout.strip() if asked.returncode == 0 else None
