"""`mnist-bench leaderboard`: what was recorded of a suite, ranked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mnist_bench.analysis import speedrun as speedruns
from mnist_bench.analysis.leaderboard import METRICS, failed_runs, leaderboard, luck_of_the_first
from mnist_bench.analysis.statistics import CONFIDENCE
from mnist_bench.cli.echo import echo
from mnist_bench.cli.options import suite_name, suite_option, tracking_uri_option
from mnist_bench.reporting import tables
from mnist_bench.reporting.remarks import failures, remarks
from mnist_bench.tracking import open_store
from mnist_bench.tracking.reader import read_suite

if TYPE_CHECKING:
    import pandas as pd

    from mnist_bench.tracking.reader import Suite

__all__ = ["command"]

_FORMS = {"csv": tables.as_csv, "markdown": tables.as_markdown, "latex": tables.as_latex}
_SPEEDRUN_NOTES = (
    "Seconds: of training alone, start-up, tracing and evaluation left out, for variants whose mean test accuracy is "
    f"at least {speedruns.TARGET_PERCENT:g}%. "
    f"± {CONFIDENCE:.0%}: the interval of the mean over the seeds, by Student's t."
)


@click.command("leaderboard")
@suite_option
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@click.option(
    "--by",
    type=click.Choice(["accuracy", "seconds-to-99"]),
    default="accuracy",
    show_default=True,
    help="What ranks: test accuracy, or seconds of training until 99% of the test images are recognised.",
)
@click.option("--format", "form", type=click.Choice(["table", "json", *_FORMS]), default="table", show_default=True)
@tracking_uri_option
def command(suite: str, dataset: str | None, by: str, form: str, tracking_uri: str | None) -> None:
    """Rank what was recorded of a suite, with a verdict for each variant."""
    by_seconds = by == "seconds-to-99"
    metrics = speedruns.METRICS if by_seconds else METRICS
    read = read_suite(open_store(tracking_uri), suite_name(suite), dataset, metrics=metrics)
    board, failed = speedruns.speedrun(read) if by_seconds else leaderboard(read), failed_runs(read)
    if form == "table":
        (_show_speedrun if by_seconds else _show)(read, board, failed)
    elif form == "json":
        about = ("dataset", "question", "planned_at", "smallest_effect_pp")
        facts = {"suite": read.name} | {name: getattr(read, name) for name in about} | {"confidence": CONFIDENCE}
        click.echo(tables.as_json(board, failed, facts | ({} if by_seconds else _luck(board))))
    else:
        click.echo(_FORMS[form](board))


def _luck(board: pd.DataFrame) -> dict[str, float]:
    sharing, luck = luck_of_the_first(board)
    return {"share_first_rank": sharing, "luck_of_the_first_pp": luck}


def _show_speedrun(suite: Suite, board: pd.DataFrame, failed: pd.DataFrame) -> None:
    echo(f"{suite.name} on {suite.dataset}: {suite.question}")
    Console().print(tables.as_table(board))
    for line in failures(failed):
        echo(line)
    echo(_SPEEDRUN_NOTES)


def _show(suite: Suite, board: pd.DataFrame, failed: pd.DataFrame) -> None:
    planned = datetime.fromisoformat(suite.planned_at)
    echo(f"{suite.name} on {suite.dataset}: {suite.question}")
    echo(f"{board['finished'].sum()} of {board['planned'].sum()} runs finished; planned {planned:%Y-%m-%d %H:%M} UTC")
    Console().print(tables.as_table(board))
    for sentence in board["sentence"].dropna():
        echo(sentence)
    for remark in remarks(suite, board, failed):
        echo(remark)
