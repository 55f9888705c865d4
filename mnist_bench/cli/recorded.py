"""The dataset that recorded runs were trained on, found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_bench.data import DATASETS, load
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_bench.data import Dataset

__all__ = ["load_recorded"]


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
