"""`mnist-bench leaderboard`: what was recorded of a suite, ranked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mnist_bench.analysis.leaderboard import CONFIDENCE, failed_runs, leaderboard
from mnist_bench.cli.options import suite_option, tracking_uri_option
from mnist_bench.reporting import tables
from mnist_bench.tracking import open_store
from mnist_bench.tracking.reader import read_suite

if TYPE_CHECKING:
    import pandas as pd

    from mnist_bench.tracking.reader import Suite

__all__ = ["command"]

_WIDTH = 80  # columns
_INTERVAL = (
    f"{CONFIDENCE:.0%} interval: of the mean over the seeds, by Student's t. "
    "It holds the noise of training, not that of the test images."
)


@click.command("leaderboard")
@suite_option
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "markdown"]), default="table", show_default=True
)
@tracking_uri_option
def command(suite: str, dataset: str | None, form: str, tracking_uri: str | None) -> None:
    """Rank what was recorded of a suite."""
    name = Path(suite).stem if suite.endswith(".toml") else suite
    read = read_suite(open_store(tracking_uri), name, dataset)
    board, failed = leaderboard(read), failed_runs(read)
    if form == "table":
        _show(read, board, failed)
    elif form == "json":
        about = {"suite": read.name, "dataset": read.dataset, "question": read.question, "planned_at": read.planned_at}
        click.echo(tables.as_json(board, failed, about | {"confidence": CONFIDENCE}))
    else:
        click.echo(tables.as_csv(board) if form == "csv" else tables.as_markdown(board))


def _show(suite: Suite, board: pd.DataFrame, failed: pd.DataFrame) -> None:
    planned = datetime.fromisoformat(suite.planned_at)
    _echo(f"{suite.name} on {suite.dataset}: {suite.question}")
    _echo(f"{board['finished'].sum()} of {board['planned'].sum()} runs finished; planned {planned:%Y-%m-%d %H:%M} UTC")
    Console().print(tables.as_table(board))
    for run in failed.itertuples():
        _echo(f"failed: {run.variant}, seed {run.seed}: {run.cause}")
    _echo(_INTERVAL)


def _echo(line: str) -> None:
    click.echo(click.wrap_text(line, _WIDTH))
