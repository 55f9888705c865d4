"""How long a suite's variants train until they recognise 99% of the test images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.analysis.statistics import mean_interval

if TYPE_CHECKING:
    from mnist_bench.tracking.reader import Suite

__all__ = ["METRICS", "TARGET_PERCENT", "speedrun"]

METRICS = ("test_accuracy", "train_seconds")  # what of a suite's runs it is made from
TARGET_PERCENT = 99.0


def speedrun(suite: Suite) -> pd.DataFrame:
    """A row a variant, the fastest first; those whose mean test accuracy is below 99% last, the most accurate first.

    As in public speedruns a variant trains for as long as its recipe says, and counts if its mean over the seeds
    reaches the mark; what counts is training time alone, without start-up, tracing and evaluation.

    Columns: variant, seconds_to_99 (mean; NaN below the mark) with the bounds low_seconds and high_seconds of its
    interval (Student's t over the seeds), epochs, test_accuracy_percent with low_percent and high_percent, finished
    and planned (numbers of runs).
    """
    finished = suite.runs[suite.runs["finished"].astype(bool)]
    rows = []
    for variant in suite.variants.to_dict("records"):
        runs = finished[finished["variant"] == variant["variant"]]
        accuracy = mean_interval(100 * runs["test_accuracy"] if len(runs) else [])
        reached = accuracy.mean >= TARGET_PERCENT
        seconds = mean_interval(runs["train_seconds"] if reached else [])
        rows.append(
            {
                "variant": variant["variant"],
                "seconds_to_99": seconds.mean,
                "low_seconds": seconds.low,
                "high_seconds": seconds.high,
                "epochs": variant["epochs"],
                "test_accuracy_percent": accuracy.mean,
                "low_percent": accuracy.low,
                "high_percent": accuracy.high,
                "finished": len(runs),
                "planned": len(variant["seeds_planned"]),
            }
        )
    by = ["seconds_to_99", "test_accuracy_percent"]
    return pd.DataFrame(rows).sort_values(by, ascending=[True, False], kind="stable", ignore_index=True)
