"""What is mistaken for what."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_bench.analysis.mistakes import confusion_difference, mean_confusion, most_often_wrong

TRUTH = np.array([0, 1, 2, 0])
RUNS = np.array([[1, 1, 0, 0], [2, 1, 0, 0], [2, 1, 1, 0]])


def test_those_are_first_that_most_runs_get_wrong():
    """Images come by the number of runs that get them wrong, then by index, each with its commonest mistake."""
    table = most_often_wrong(RUNS, TRUTH, 5)
    assert table.to_dict("list") == {"image": [0, 2], "truth": [0, 2], "taken_for": [2, 0], "wrong": [3, 3]}
    runs = np.array([[1, 1, 1, 1], [1, 0, 2, 1]])
    assert most_often_wrong(runs, np.array([1, 1, 1, 0]), 2)["image"].tolist() == [3, 1]


def test_no_more_than_asked_for_and_none_that_is_right():
    """The list is as short as it was asked to be, and empty where all is right."""
    assert len(most_often_wrong(RUNS, TRUTH, 1)) == 1
    assert most_often_wrong(TRUTH[None], TRUTH, 5).empty


def test_confusions_are_averaged_and_compared_by_shares():
    """The mean is of counts; the difference of shares of the true class, so that class sizes don't matter."""
    mean = mean_confusion([np.array([[8, 2], [0, 4]]), np.array([[6, 4], [0, 4]])])
    assert mean.tolist() == [[7, 3], [0, 4]]
    assert confusion_difference(mean, np.array([[8.0, 2.0], [1.0, 3.0]])) == pytest.approx(
        np.array([[-10, 10], [-25, 25]])
    )
