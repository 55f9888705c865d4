"""What the reader of a leaderboard must know to weigh it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_bench.analysis.leaderboard import luck_of_the_first
from mnist_bench.analysis.pairing import judging_looks, looks_had
from mnist_bench.analysis.statistics import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    import pandas as pd

    from mnist_bench.tracking.reader import Suite

__all__ = ["failures", "remarks"]

_NOTES = (
    f"± {CONFIDENCE:.0%}: the interval of the mean over the seeds, by Student's t. It holds the noise of training, not "
    "that of the test images (`mnist-bench compare` shows both). Effect: against the baseline, paired by seed; pp: "
    "percentage points. Rows that can't be told apart share a rank."
)


def remarks(suite: Suite, board: pd.DataFrame, failed: pd.DataFrame) -> Iterator[str]:
    """What failed, what is missing, how much is luck, how often one looked, and what the columns hold.

    Args:
        suite: what was read.
        board: its leaderboard.
        failed: its failed runs.
    """
    yield from failures(failed)
    for row in board[board["missing_pairs"] > 0].to_dict("records"):
        yield _missing(row)
    sharing, luck = luck_of_the_first(board)
    if sharing > 1:
        yield (
            f"{sharing} share the first rank: of so many equals with seeds of their own, luck alone puts the first "
            f"{luck:.2f} pp ahead of their mean."
        )
    if board["role"].eq("baseline").all():
        yield "No verdicts: nothing but the baseline was run."
    elif board["verdict"].isna().all():
        yield "No verdicts: the suite's baseline was not run with these variants."
    yield from _looks(suite)
    yield _NOTES


def failures(failed: pd.DataFrame) -> Iterator[str]:
    """A line for each failed run, with its cause."""
    for run in failed.itertuples():
        yield f"failed: {run.variant}, seed {run.seed}: {run.cause}"


def _looks(suite: Suite) -> Iterator[str]:
    """At which numbers of seeds one looked, and was to look, if at several."""
    planned, had = set().union(*map(judging_looks, suite.variants["looks"])), looks_had(suite.variants)
    if len(planned) > 1:
        rest = ", ".join(map(str, sorted(planned - set(had))))
        yield (
            f"Looked at after {', '.join(map(str, had))} seeds{f', planned to be after {rest} too' if rest else ''}: p "
            "and the effects' intervals allow for that. An effect is over the seeds that its verdict took, an accuracy "
            "over all."
        )


def _missing(row: Mapping[Hashable, Any]) -> str:
    """What the runs that aren't there could make of a variant's verdict."""
    missing, planned = int(row["missing_pairs"]), int(row["planned_pairs"])
    told = f"missing: {row['variant']}, {missing} of {planned} pairs"
    if not row["pairs"]:
        return told
    if row["if_worst"] == row["if_best"] == row["verdict"]:
        return f"{told}: as bad as its worst or as good as its best, they would leave it at {row['verdict']!r}"
    return (
        f"{told}: were they as bad as its worst, it would be {row['if_worst']!r}; "
        f"as good as its best, {row['if_best']!r}"
    )
