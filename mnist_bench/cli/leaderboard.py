"""`mnist-bench leaderboard`: what was recorded of a suite, ranked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mnist_bench.analysis.leaderboard import METRICS, failed_runs, leaderboard, luck_of_the_first
from mnist_bench.analysis.pairing import judging_looks
from mnist_bench.analysis.statistics import CONFIDENCE
from mnist_bench.cli.echo import echo
from mnist_bench.cli.options import suite_name, suite_option, tracking_uri_option
from mnist_bench.reporting import tables
from mnist_bench.tracking import open_store
from mnist_bench.tracking.reader import read_suite

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

    from mnist_bench.tracking.reader import Suite

__all__ = ["command"]

_NOTES = (
    f"± {CONFIDENCE:.0%}: the interval of the mean over the seeds, by Student's t. It holds the noise of training, not "
    "that of the test images (`mnist-bench compare` shows both). Effect: against the baseline, paired by seed; pp: "
    "percentage points. Rows that can't be told apart share a rank."
)


@click.command("leaderboard")
@suite_option
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "markdown"]), default="table", show_default=True
)
@tracking_uri_option
def command(suite: str, dataset: str | None, form: str, tracking_uri: str | None) -> None:
    """Rank what was recorded of a suite, with a verdict for each variant."""
    read = read_suite(open_store(tracking_uri), suite_name(suite), dataset, metrics=METRICS)
    board, failed = leaderboard(read), failed_runs(read)
    if form == "table":
        _show(read, board, failed)
    elif form == "json":
        about = ("dataset", "question", "planned_at", "smallest_effect_pp")
        facts = {"suite": read.name} | {name: getattr(read, name) for name in about} | {"confidence": CONFIDENCE}
        sharing, luck = luck_of_the_first(board)
        click.echo(tables.as_json(board, failed, facts | {"share_first_rank": sharing, "luck_of_the_first_pp": luck}))
    else:
        click.echo(tables.as_csv(board) if form == "csv" else tables.as_markdown(board))


def _show(suite: Suite, board: pd.DataFrame, failed: pd.DataFrame) -> None:
    planned = datetime.fromisoformat(suite.planned_at)
    echo(f"{suite.name} on {suite.dataset}: {suite.question}")
    echo(f"{board['finished'].sum()} of {board['planned'].sum()} runs finished; planned {planned:%Y-%m-%d %H:%M} UTC")
    Console().print(tables.as_table(board))
    for sentence in board["sentence"].dropna():
        echo(sentence)
    for run in failed.itertuples():
        echo(f"failed: {run.variant}, seed {run.seed}: {run.cause}")
    for row in board[board["missing_pairs"] > 0].to_dict("records"):
        echo(_missing(row))
    sharing, luck = luck_of_the_first(board)
    if sharing > 1:
        echo(
            f"{sharing} share the first rank: of so many equals with seeds of their own, luck alone puts the first "
            f"{luck:.2f} pp ahead of their mean."
        )
    if board["verdict"].isna().all():
        echo("No verdicts: the suite's baseline was not run with these variants.")
    if len(looks := sorted(set().union(*map(judging_looks, suite.variants["looks"])))) > 1:
        told = ", ".join(map(str, looks))
        echo(
            f"Looked at after {told} seeds: p and the effects' intervals allow for that. An effect is over the seeds "
            "that its verdict took, an accuracy over all."
        )
    echo(_NOTES)


def _missing(row: dict[Hashable, Any]) -> str:
    """What the runs that aren't there could make of a variant's verdict."""
    missing, planned = int(row["missing_pairs"]), int(row["missing_pairs"] + row["pairs"])
    told = f"missing: {row['variant']}, {missing} of {planned} pairs"
    if not row["pairs"]:
        return told
    if row["if_worst"] == row["if_best"] == row["verdict"]:
        return f"{told}: as bad as its worst or as good as its best, they would leave it at {row['verdict']!r}"
    return (
        f"{told}: were they as bad as its worst, it would be {row['if_worst']!r}; "
        f"as good as its best, {row['if_best']!r}"
    )
