"""How a recorded run is named on the command line, and the data that it was trained on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from mnist_bench.analysis.partners import best_run, find_run
from mnist_bench.data import DATASETS, load
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_bench.data import Dataset
    from mnist_bench.tracking.reader import Suite

__all__ = ["is_id", "load_recorded", "run_id"]

_ID = re.compile("[0-9a-f]{32}")


def is_id(name: str) -> bool:
    """Whether a run is named by the id that it has in MLflow."""
    return _ID.fullmatch(name) is not None


def run_id(name: str, suite: Suite | None) -> str:
    """The id of a run: itself, or of VARIANT@SEED, or of a VARIANT's best run by validation.

    Raises:
        UsageError: it is no id, and there is no suite to look into; or what stands after the @ is no seed.
        ComparisonError: the suite has no such variant, or no such finished run of it.
    """
    if is_id(name):
        return name
    if suite is None:
        raise click.UsageError(f"{name!r} is no run id of 32 hexadecimal digits: name its suite by --suite")
    variant, at, seed = name.rpartition("@")
    if not at:
        return best_run(suite, name)
    if not seed.isdecimal():
        raise click.UsageError(f"{name!r}: a seed, a whole number, belongs after the @")
    return find_run(suite, variant, int(seed))


def load_recorded(name: str, digest: str, data_dir: Path | None) -> Dataset:
    """The dataset that was recorded under `name` with `digest`.

    Raises:
        DataError: it can't be had, or what is there under that name is other data.
    """
    dataset = _load(name, data_dir)
    if dataset.digest != digest:
        raise DataError(
            f"{dataset.source}: holds other data (digest {dataset.digest}) than {name} was when the runs were trained "
            f"on it ({digest}): name its folder by --data-dir"
        )
    return dataset


def _load(name: str, data_dir: Path | None) -> Dataset:
    if name in DATASETS:
        return load(name, data_dir)
    if data_dir is None:
        raise DataError(
            f"the runs were trained on {name}, which has no name here: name its file or folder by --data-dir"
        )
    return load(str(data_dir.absolute()))  # with a slash in it, so that it can't be the name of another
