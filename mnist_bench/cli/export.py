"""`mnist-bench export`: what was recorded, for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from mnist_bench.cli.files import write_files
from mnist_bench.cli.options import suite_name, tracking_uri_option
from mnist_bench.reporting.export import as_files
from mnist_bench.tracking import open_store
from mnist_bench.tracking.archive import read_archive

__all__ = ["command"]


@click.command("export")
@click.option("--suite", metavar="NAME|PATH", help="This suite alone.")
@click.option("--dataset", metavar="NAME", help="What was run on this dataset alone.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    required=True,
    help="Where the files go.",
)
@tracking_uri_option
def command(*, suite: str | None, dataset: str | None, output: Path, tracking_uri: str | None) -> None:
    """Write what was recorded as tidy CSV and Parquet, with a data dictionary.

    Four tables: runs, their curves, their confusion matrices, and the settings of their variants. A search's trials are
    not among them.
    """
    store = open_store(tracking_uri)
    write_files(output, as_files(read_archive(store, suite_name(suite) if suite else None, dataset)))
