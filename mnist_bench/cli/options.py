"""Options that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FiniteRange",
    "data_dir_option",
    "dataset_option",
    "epochs_option",
    "output_option",
    "scheduler_option",
    "seeds_option",
    "suite_name",
    "suite_option",
    "tracking_uri_option",
    "workers_option",
    "workers_or_scheduler",
]


class FiniteRange(click.FloatRange):
    """A range of numbers, of which NaN and the infinite are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number that was given."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number


_positive = click.IntRange(min=1)

dataset_option = click.option(
    "--dataset",
    default="auto",
    show_default=True,
    metavar="NAME|PATH",
    help="A name of `list datasets`, or the path of an .npz file or of a folder with MNIST's IDX files.",
)
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="The folder that holds the dataset; otherwise MNIST_BENCH_DATA, Keras' cache, the network.",
)
suite_option = click.option(
    "--suite", required=True, metavar="NAME|PATH", help="A name of `list suites`, or a TOML file."
)
seeds_option = click.option("--seeds", type=_positive, help="How many seeds, instead of the suite's number.")
epochs_option = click.option("--epochs", type=_positive, help="How many epochs, instead of each recipe's number.")
workers_option = click.option("--workers", type=_positive, help="Worker processes; one a core unless told.")
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="The workers of this Dask scheduler instead: tcp://host:8786."
)
tracking_uri_option = click.option(
    "--tracking-uri",
    metavar="URI",
    help="The MLflow store; otherwise MLFLOW_TRACKING_URI, or mlruns/mlflow.db here.",
)


def output_option(named_after: str) -> Callable[[Any], Any]:
    """The folder that pictures go to."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help=f"Where the pictures go; otherwise a folder here that is named after {named_after}.",
    )


def suite_name(suite: str) -> str:
    """The name that a suite is recorded under, where its file may be given too."""
    return Path(suite).stem if suite.endswith(".toml") else suite


def workers_or_scheduler(workers: int | None, scheduler: str | None) -> dict[str, Any]:
    """The two options as the engine's arguments.

    Raises:
        UsageError: both are given, or an empty address, which may be a variable that isn't set.
    """
    if scheduler == "":
        raise click.UsageError("--scheduler is empty: give an address, tcp://host:8786")
    if workers and scheduler:
        raise click.UsageError("--workers is for this machine's own; with --scheduler its workers are used")
    return {"workers": workers, "scheduler": scheduler}
