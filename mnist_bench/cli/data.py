"""`mnist-bench data`: what a dataset is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mnist_bench.cli.options import data_dir_option, dataset_option
from mnist_bench.data import Dataset, Split, load, split
from mnist_bench.errors import DataError
from mnist_bench.specs import Recipe

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("data")
@dataset_option
@data_dir_option
def command(dataset: str, data_dir: Path | None) -> None:
    """Show what a dataset is: sizes, split, class counts, digests, source."""
    loaded = load(dataset, data_dir)
    cut, told = _cut(loaded)
    if loaded.note:
        click.echo(loaded.note, err=True)
    console = Console()
    console.print(_facts(loaded, cut, told))
    console.print(_counts(loaded, cut))


def _cut(dataset: Dataset) -> tuple[Split, str]:
    """The split that a recipe makes unless it says otherwise, and what to say of it; a tiny dataset may have none."""
    validation = Recipe().validation
    try:
        cut = split(dataset.train_labels, validation)
    except DataError as fault:
        return split(dataset.train_labels, 0), f"none: {fault}"
    return cut, f"{validation:g} of the training images (the default of a recipe)"


def _facts(dataset: Dataset, cut: Split, validation: str) -> Table:
    height, width, _ = dataset.image_shape
    table = Table(show_header=False)
    table.add_row("dataset", escape(dataset.name))
    table.add_row("source", escape(dataset.source))
    table.add_row("images", f"{height} x {width} pixels, {dataset.classes} classes")
    table.add_row("validation", validation)
    table.add_row("digest", dataset.digest)
    table.add_row("digest of the split", cut.digest)
    return table


def _counts(dataset: Dataset, cut: Split) -> Table:
    """One row a class, one column a part."""
    parts = {
        "train": dataset.train_labels[cut.train],
        "validation": dataset.train_labels[cut.validation],
        "test": dataset.test_labels,
    }
    table = Table(show_footer=True)
    table.add_column("class", footer="all", justify="right")
    for part, labels in parts.items():
        table.add_column(part, footer=f"{len(labels):,}", justify="right")
    counts = np.stack([np.bincount(labels, minlength=dataset.classes) for labels in parts.values()], axis=1)
    for label, row in enumerate(counts):  # (classes, 3)
        table.add_row(str(label), *(f"{count:,}" for count in row))
    return table
