"""Seconds of training until 99% of the test images are recognised."""

from __future__ import annotations

import math

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.speedrun import speedrun
from mnist_bench.analysis.statistics import mean_interval


def test_the_fastest_of_those_that_reach_the_mark_is_first():
    """A mean of 99% counts, whatever one seed came to; those below follow, without seconds, the most accurate first."""
    board = speedrun(
        recorded_suite(
            {
                "baseline": [0.98, 0.98, 0.98],
                "slow": [0.985, 0.99, 0.996],
                "fast": [0.991],
                "none": [],
                "near": [0.9899],
            }
        )
    )
    assert board["variant"].to_list() == ["fast", "slow", "near", "baseline", "none"]
    assert board["seconds_to_99"].to_list()[:2] == [5.0, 6.0]
    assert board["seconds_to_99"].isna().to_list() == [False, False, True, True, True]


def test_a_row_has_intervals_over_the_seeds():
    """Of the seconds and of the accuracy, over the finished runs alone."""
    (row,) = speedrun(recorded_suite({"baseline": [0.99, 0.992, None, 0.994]})).to_dict("records")
    seconds, accuracy = mean_interval([5, 6, 8]), mean_interval([99, 99.2, 99.4])
    assert (row["low_seconds"], row["high_seconds"]) == pytest.approx((seconds.low, seconds.high))
    assert (row["low_percent"], row["high_percent"]) == pytest.approx((accuracy.low, accuracy.high))
    assert (row["finished"], row["planned"], row["epochs"]) == (3, 4, 2)


def test_a_suite_that_has_not_begun_has_a_speedrun():
    """Every figure is unknown."""
    (row,) = speedrun(recorded_suite({"baseline": []}, planned=3)).to_dict("records")
    assert (row["finished"], row["planned"]) == (0, 3)
    assert math.isnan(row["seconds_to_99"])
    assert math.isnan(row["test_accuracy_percent"])
