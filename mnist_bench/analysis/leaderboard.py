"""A suite's variants, ranked by their mean test accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from mnist_bench.analysis.statistics import mean_interval

if TYPE_CHECKING:
    from mnist_bench.tracking.reader import Suite

__all__ = ["CONFIDENCE", "failed_runs", "leaderboard"]

CONFIDENCE = 0.95
_COLUMNS = [
    *("variant", "role", "finished", "failed", "planned"),
    *("test_accuracy_percent", "low_percent", "high_percent", "sd_percent", "test_loss", "parameters", "seconds_a_run"),
]


def leaderboard(suite: Suite) -> pd.DataFrame:
    """A row a variant, the best mean test accuracy first, those without a finished run last.

    Columns: variant, role, finished, failed and planned (numbers of runs), test_accuracy_percent with its interval's
    bounds low_percent and high_percent (Student's t over the seeds) and sd_percent, test_loss (mean), parameters, and
    seconds_a_run (median). What is unknown is NaN.
    """
    rows = [
        _row(variant, suite.runs[suite.runs["variant"] == variant.variant]) for variant in suite.variants.itertuples()
    ]
    board = pd.DataFrame(rows, columns=_COLUMNS)
    return board.sort_values(
        "test_accuracy_percent", ascending=False, na_position="last", kind="stable", ignore_index=True
    )


def failed_runs(suite: Suite) -> pd.DataFrame:
    """The runs that failed and didn't finish since: variant, seed and cause, in this order."""
    failed = suite.runs.loc[~suite.runs["finished"].astype(bool), ["variant", "seed", "cause"]]
    return failed.sort_values(["variant", "seed"], ignore_index=True)


def _row(variant: Any, runs: pd.DataFrame) -> dict[str, object]:
    finished = runs[runs["finished"].astype(bool)]
    accuracy = mean_interval(100 * _figures(finished, "test_accuracy"), CONFIDENCE)
    return {
        "variant": variant.variant,
        "role": variant.role,
        "finished": len(finished),
        "failed": len(runs) - len(finished),
        "planned": len(variant.seeds_planned),
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
