"""The leaderboard, from runs that were read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_up import recorded_suite

from mnist_bench.analysis.leaderboard import failed_runs, leaderboard, luck_of_the_first
from mnist_bench.analysis.statistics import expected_luck, mean_interval


def test_ranks_by_mean_accuracy():
    """The best mean is first; a variant without finished runs is last, and none is left out."""
    board = leaderboard(recorded_suite({"none": [], "baseline": [0.8, 0.9], "failed": [None], "best": [0.9, 0.91]}))
    assert board["variant"].to_list() == ["best", "baseline", "none", "failed"]
    assert board["test_accuracy_percent"].to_list()[:2] == pytest.approx([90.5, 85])
    assert board["role"].to_list()[1] == "baseline"


def test_a_row_counts_and_measures():
    """A row has its numbers of runs, the mean's interval in percent, and what a run costs."""
    board = leaderboard(recorded_suite({"baseline": [0.8, 0.9, 0.85, None]}, planned=5))
    (row,) = board.to_dict("records")
    assert (row["finished"], row["failed"], row["planned"]) == (3, 1, 5)
    expected = mean_interval([80, 90, 85])
    assert (row["low_percent"], row["high_percent"]) == pytest.approx((expected.low, expected.high))
    assert (row["test_loss"], row["parameters"], row["seconds_a_run"]) == (0.5, 100, 11)


def test_one_seed_has_no_interval():
    """A single run ranks, without bounds."""
    (row,) = leaderboard(recorded_suite({"baseline": [0.8]})).to_dict("records")
    assert (row["test_accuracy_percent"], math.isnan(row["low_percent"])) == (80, True)


def test_a_suite_that_has_not_begun_has_a_leaderboard():
    """Without any run every figure is unknown."""
    (row,) = leaderboard(recorded_suite({"baseline": []}, planned=3)).to_dict("records")
    assert (row["finished"], row["planned"]) == (0, 3)
    assert math.isnan(row["test_accuracy_percent"])
    assert math.isnan(row["parameters"])


def test_failed_runs_are_listed_with_their_cause():
    """Whatever failed is told, by variant and seed."""
    failed = failed_runs(recorded_suite({"baseline": [0.5, None], "a": [None]}))
    assert failed.to_numpy().tolist() == [["a", 0, "the loss was nan"], ["baseline", 1, "the loss was nan"]]
    assert failed_runs(recorded_suite({"baseline": []}, planned=1)).empty


def test_rank_goes_before_accuracy():
    """A variant that nothing is shown to beat stands above one that was better in a single run."""
    board = leaderboard(recorded_suite({"baseline": [0.90, 0.91] * 3, "once": [0.99], "worse": [0.50, 0.51] * 3}))
    assert board["variant"].to_list() == ["baseline", "worse", "once"]
    assert board["rank"].fillna(0).to_list() == [1, 2, 0]


def test_each_variant_but_the_baseline_has_a_verdict():
    """Effect and verdict stand beside the figures that they come from."""
    board = leaderboard(recorded_suite({"baseline": [0.9] * 10, "wide": [0.91] * 10})).set_index("variant")
    assert board["verdict"].to_dict() == {"wide": "helps", "baseline": pytest.approx(math.nan, nan_ok=True)}
    assert board["effect_pp"]["wide"] == pytest.approx(1)


def test_the_luck_of_the_first_is_told():
    """Three that share the first rank: the best of three equals is ahead by the expected maximum of three errors."""
    noise = np.random.default_rng(0).normal(0.9, 0.01, (3, 10))
    board = leaderboard(recorded_suite(dict(zip(["baseline", "a", "b"], map(list, noise), strict=True))))
    error = 100 * math.sqrt((noise.var(axis=1, ddof=1) / 10).mean())
    assert luck_of_the_first(board) == (3, pytest.approx(expected_luck(error, 3)))
    assert luck_of_the_first(leaderboard(recorded_suite({"baseline": [0.9]})))[0] == 0
