"""A suite's variants, ranked by their mean test accuracy, each with its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mnist_bench.analysis.ranks import ranks
from mnist_bench.analysis.statistics import expected_luck, mean_interval
from mnist_bench.analysis.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from mnist_bench.tracking.reader import Suite

__all__ = ["METRICS", "failed_runs", "leaderboard", "luck_of_the_first"]

METRICS = ("parameters", "test_accuracy", "test_loss")  # what of a suite's runs it is made from
_COLUMNS = [
    *("rank", "variant", "role", "finished", "failed", "planned"),
    *("test_accuracy_percent", "low_percent", "high_percent", "sd_percent", "test_loss", "parameters", "seconds_a_run"),
]


def leaderboard(suite: Suite) -> pd.DataFrame:
    """A row a variant: by rank, and within a rank by mean test accuracy; those without a finished run last.

    Columns: rank (shared by what can't be told apart; missing below six paired runs), variant, role, finished, failed
    and planned (numbers of runs), test_accuracy_percent with its interval's bounds low_percent and high_percent
    (Student's t over the seeds) and sd_percent, test_loss (mean), parameters, seconds_a_run (median), looks (at which
    numbers of seeds), and those of `verdicts`, empty for the baseline. What is unknown is NaN.
    """
    ranked = ranks(suite)
    rows = [
        {"rank": ranked.get(name)} | _row(variant, suite.runs[suite.runs["variant"] == name])
        for name, variant in zip(suite.variants["variant"], suite.variants.to_dict("records"), strict=True)
    ]
    board = pd.DataFrame(rows, columns=_COLUMNS).astype({"rank": "Int64"})
    board = board.sort_values(
        ["rank", "test_accuracy_percent"], ascending=[True, False], na_position="last", kind="stable", ignore_index=True
    )
    board = board.merge(suite.variants[["variant", "looks"]], on="variant")
    return board.merge(verdicts(suite), on="variant", how="left")


def luck_of_the_first(board: pd.DataFrame) -> tuple[int, float]:
    """How many share the first rank, and by how many percentage points luck alone puts the best of such equals ahead.

    Ahead of their mean, if they were equal and independent, with the deviation of the mean that their runs have.
    """
    first = board[(board["rank"] == 1).fillna(value=False)]
    squared_error = (first["sd_percent"] ** 2 / first["finished"]).mean()
    return len(first), expected_luck(float(np.sqrt(squared_error)), len(first)) if len(first) else 0.0


def failed_runs(suite: Suite) -> pd.DataFrame:
    """The runs that failed and didn't finish since: variant, seed and cause, in this order."""
    failed = suite.runs.loc[~suite.runs["finished"].astype(bool), ["variant", "seed", "cause"]]
    return failed.sort_values(["variant", "seed"], ignore_index=True)


def _row(variant: Mapping[Hashable, Any], runs: pd.DataFrame) -> dict[str, object]:
    finished = runs[runs["finished"].astype(bool)]
    accuracy = mean_interval(100 * _figures(finished, "test_accuracy"))
    return {
        "variant": variant["variant"],
        "role": variant["role"],
        "finished": len(finished),
        "failed": len(runs) - len(finished),
        "planned": len(variant["seeds_planned"]),
        "test_accuracy_percent": accuracy.mean,
        "low_percent": accuracy.low,
        "high_percent": accuracy.high,
        "sd_percent": accuracy.sd,
        "test_loss": _figures(finished, "test_loss").mean(),
        "parameters": _figures(runs, "parameters").max(),
        "seconds_a_run": finished["seconds"].median(),
    }


def _figures(runs: pd.DataFrame, metric: str) -> pd.Series[float]:
    """A metric's values; no run at all has recorded it where even its column is missing."""
    return runs[metric] if metric in runs else pd.Series(dtype=float)
