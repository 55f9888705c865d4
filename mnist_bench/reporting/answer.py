"""A suite's answer, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mnist_bench.analysis.verdicts import EQUIVALENT, HELPS, HURTS, INCONCLUSIVE
from mnist_bench.analysis.words import signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["answer"]

_SAYINGS = {
    HELPS: ("helps", "help"),
    HURTS: ("hurts", "hurt"),
    EQUIVALENT: ("makes no difference that matters", "make no difference that matters"),
    INCONCLUSIVE: ("can't be told from it yet", "can't be told from it yet"),
}


def answer(board: pd.DataFrame) -> Iterator[str]:
    """What a leaderboard comes to, in a few sentences: how many of each verdict, which, and who is first."""
    judged = board[board["verdict"].notna()]
    if judged.empty:
        yield "There are no verdicts: nothing was run beside a baseline."
    else:
        changes = f"{len(judged)} {'change' if len(judged) == 1 else 'changes'}"
        yield f"Of {changes} to the baseline, {_counts(judged)}."
    ranked, finished = board[board["rank"].eq(1).fillna(value=False)], board[board["finished"] > 0]
    if finished.empty:
        yield "No run has finished."
    elif ranked.empty:
        yield f"{_highest(finished)} There are too few runs to rank by."
    else:
        what = "highest accuracy"
        if finished.nlargest(1, "test_accuracy_percent")["rank"].isna().any():
            yield f"{_highest(finished)} It has too few runs to be ranked."
            what = "highest of the ranked"
        sharing = len(ranked) - 1
        shared = f"The evidence doesn't part it from {sharing} more, which share" if sharing else "No other shares"
        yield f"{_highest(ranked, what)} {shared} its rank."


def _counts(judged: pd.DataFrame) -> str:
    parts = []
    for verdict, (one, several) in _SAYINGS.items():
        these = judged[judged["verdict"] == verdict]
        if len(these):
            sized = verdict in {HELPS, HURTS}
            names = [
                f"{row['variant']} ({signed(row['effect_pp'])} pp)" if sized else row["variant"]
                for row in these.to_dict("records")
            ]
            parts.append(f"{len(these)} {one if len(these) == 1 else several}: {', '.join(names)}")
        elif verdict in {HELPS, HURTS}:
            parts.append(f"none {one}")
    return "; ".join(parts)


def _highest(rows: pd.DataFrame, what: str = "highest accuracy") -> str:
    row = max(rows.to_dict("records"), key=lambda row: row["test_accuracy_percent"])
    low, high = row["low_percent"], row["high_percent"]
    interval = "" if math.isnan(low) else f", 95% interval {low:.2f} to {high:.2f}"
    return f"The {what} is that of {row['variant']}: {row['test_accuracy_percent']:.2f}%{interval}."
