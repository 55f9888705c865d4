"""The benchmarks' own arithmetic: what they say of figures that were measured."""

from __future__ import annotations

import itertools
import statistics

import pandas as pd
import pytest
from search_against_keras_tuner import Searched
from suite_against_peers import by_variant, judged, times


def differing(*points):
    """What the equality of two sides is judged to be that differ by so many points, seed by seed."""
    return judged(pd.Series({f"baseline, seed {place}": point for place, point in enumerate(points)}))


def test_a_row_is_void_unless_both_sides_are_shown_equal():
    """Within 0.1 points in the middle; a difference beyond that, or a wide scatter, or few pairs, show no equality."""
    near = [0.01 * place for place in range(-4, 5)]
    assert differing(*near)[1] == ""
    assert "not shown equal over 9 pairs" in differing(*(0.2 + each for each in near))[1]
    assert "not shown equal over 9 pairs" in differing(*(50 * each for each in near))[1]
    assert "not shown equal over 4 pairs" in differing(0.01, -0.01, 0.02, -0.02)[1]
    assert "not shown equal over 1 pairs" in differing(0.01)[1]


def test_one_wild_variant_does_not_hide_that_the_others_are_equal():
    """By ranks what lies ten points apart counts as one that differs."""
    near = [0.001 * place for place in range(-10, 11)]
    assert differing(*near, 10, -10)[1] == ""


def test_where_the_difference_lies_is_told_of_each_variant():
    """Its middle pair, whatever the other variant's pairs are."""
    pairs = {"plain, seed 0": 0.1, "plain, seed 1": 0.3, "plain, seed 2": 9.0, "odd, rate 2, seed 0": -4.0}
    assert by_variant(pd.Series(pairs)) == "odd, rate 2 -4.00, plain +0.30"


def test_a_ratio_is_the_median_of_those_within_each_repeat():
    """Not that of the medians: the machine was half as fast in the second repeat."""
    assert times([4.0, 20.0, 12.0], [2.0, 4.0, 4.0]) == "3.0x"


TRIALS = [[10.0, 0.90], [12.0, 0.95], [20.0, 0.93], [23.0, 0.97], [30.0, 0.94], [34.0, 0.92]]


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("target", [0.92, 0.95, 0.97])
def test_the_seconds_to_an_accuracy_are_the_mean_over_all_orders(size, target):
    """Of trials, or of so many in a row, that might have come in any: the formula against all orders, one by one."""
    parts = [TRIALS[place : place + size] for place in range(0, len(TRIALS), size)]
    begins = [0.0, *(part[-1][0] for part in parts[:-1])]
    seconds = []
    for order in itertools.permutations(zip(begins, parts, strict=True)):
        now = 0.0
        for began, part in order:
            reached = [ended for ended, accuracy in part if accuracy >= target]
            if reached:
                seconds.append(now + reached[0] - began)
                break
            now += part[-1][0] - began
    assert Searched(0.0, TRIALS, size).seconds_to(target) == pytest.approx(statistics.mean(seconds))


def test_in_the_order_in_which_they_came_it_is_when_the_first_had_ended():
    """Where no other order is as good as that."""
    assert Searched(5.0, TRIALS).seconds_to(0.95) == 12.0
    assert Searched(5.0, TRIALS).best == 0.97
