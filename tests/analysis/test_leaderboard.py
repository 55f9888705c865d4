"""The leaderboard, from runs that were read."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from mnist_bench.analysis.leaderboard import failed_runs, leaderboard
from mnist_bench.analysis.statistics import mean_interval
from mnist_bench.tracking.reader import Suite


def _suite(accuracies, planned=3):
    """A suite whose runs have these test accuracies by variant; None is a failed run."""
    variants = pd.DataFrame(
        [
            {
                "variant": name,
                "role": "baseline" if name == "baseline" else "variant",
                "seeds_planned": [*range(planned)],
            }
            for name in accuracies
        ]
    )
    runs = [
        {
            "variant": name,
            "seed": seed,
            "finished": accuracy is not None,
            "cause": None if accuracy else "the loss was nan",
            "seconds": 10.0 + seed,
            "parameters": 100.0,
            "test_accuracy": accuracy,
            "test_loss": 0.5,
        }
        for name, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]
    columns = ["variant", "seed", "finished", "cause", "seconds"]
    return Suite("s", "d", "q", "2026", variants, pd.DataFrame(runs, columns=None if runs else columns))


def test_ranks_by_mean_accuracy():
    """The best mean is first; a variant without finished runs is last, and none is left out."""
    board = leaderboard(_suite({"none": [], "baseline": [0.8, 0.9], "failed": [None], "best": [0.9, 0.91]}))
    assert board["variant"].to_list() == ["best", "baseline", "none", "failed"]
    assert board["test_accuracy_percent"].to_list()[:2] == pytest.approx([90.5, 85])
    assert board["role"].to_list()[1] == "baseline"


def test_a_row_counts_and_measures():
    """A row has its numbers of runs, the mean's interval in percent, and what a run costs."""
    board = leaderboard(_suite({"baseline": [0.8, 0.9, 0.85, None]}, planned=5))
    (row,) = board.to_dict("records")
    assert (row["finished"], row["failed"], row["planned"]) == (3, 1, 5)
    expected = mean_interval([80, 90, 85])
    assert (row["low_percent"], row["high_percent"]) == pytest.approx((expected.low, expected.high))
    assert (row["test_loss"], row["parameters"], row["seconds_a_run"]) == (0.5, 100, 11)


def test_one_seed_has_no_interval():
    """A single run ranks, without bounds."""
    (row,) = leaderboard(_suite({"baseline": [0.8]})).to_dict("records")
    assert (row["test_accuracy_percent"], math.isnan(row["low_percent"])) == (80, True)


def test_a_suite_that_has_not_begun_has_a_leaderboard():
    """Without any run every figure is unknown."""
    (row,) = leaderboard(_suite({"baseline": []})).to_dict("records")
    assert (row["finished"], row["planned"]) == (0, 3)
    assert math.isnan(row["test_accuracy_percent"])
    assert math.isnan(row["parameters"])


def test_failed_runs_are_listed_with_their_cause():
    """Whatever failed is told, by variant and seed."""
    failed = failed_runs(_suite({"b": [0.5, None], "a": [None]}))
    assert failed.to_numpy().tolist() == [["a", 0, "the loss was nan"], ["b", 1, "the loss was nan"]]
    assert failed_runs(_suite({"b": []})).empty
