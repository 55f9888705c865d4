"""Pairs of runs, and which are missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.pairing import Differences, accuracies, to_baseline
from mnist_bench.analysis.statistics import overall_p


def test_differences_are_taken_pair_by_pair_in_percentage_points():
    """Each seed's accuracy less the baseline's with the same seed, whatever order they were recorded in."""
    suite = recorded_suite({"baseline": [0.90, 0.80], "wide": [0.91, 0.83]})
    (wide,) = to_baseline(replace(suite, runs=suite.runs.iloc[::-1]))
    assert (wide.variant, wide.missing) == ("wide", ())
    assert list(wide.by_pair) == [0, 1]
    assert list(wide.by_pair.values()) == pytest.approx([1, 3])


def test_a_pair_needs_both_runs():
    """A run that failed on either side, or was not trained yet, leaves its pair missing."""
    (wide,) = to_baseline(recorded_suite({"baseline": [0.9, None, 0.9, 0.9], "wide": [0.9, 0.9, None]}))
    assert (list(wide.by_pair), wide.missing) == ([0], (1, 2, 3))


def test_a_seed_offset_does_not_part_a_pair():
    """Variants with seeds of their own are paired by what their seeds would be without the offset."""
    suite = recorded_suite({"baseline": [0.9, 0.8], "again": [0.91, 0.83]})
    mine = suite.variants["variant"] == "again"
    suite.variants.loc[mine, "seed_offset"] = 1000
    suite.variants.loc[mine, "seeds_planned"] = suite.variants.loc[mine, "seeds_planned"].map(lambda _: [1000, 1001])
    suite.runs.loc[suite.runs["variant"] == "again", "seed"] += 1000
    (again,) = to_baseline(suite)
    assert (list(again.by_pair), again.missing) == ([0, 1], ())


def test_only_planned_pairs_count():
    """Seeds beyond the plan of either side are not used, though they were trained once."""
    suite = recorded_suite({"baseline": [0.9] * 4, "wide": [0.8] * 4}, planned=2)
    assert list(to_baseline(suite)[0].by_pair) == [0, 1]


def test_without_a_finished_run_all_pairs_are_missing():
    """A suite that has just been planned has variants, and no figures."""
    suite = recorded_suite({"baseline": [], "wide": []}, planned=2)
    assert accuracies(suite).empty
    assert to_baseline(suite) == [Differences("wide", {}, (0, 1), (2,))]


def test_without_a_baseline_nothing_differs_from_it():
    """Variants that were run alone have nothing to be compared with."""
    suite = recorded_suite({"baseline": [0.9], "wide": [0.9]})
    assert to_baseline(replace(suite, variants=suite.variants.drop(index=0))) == []


def _differences(pairs, looks, missing=()):
    return Differences("v", dict.fromkeys(range(pairs), 0.5), missing, looks)


def test_looks_are_reached_by_plan():
    """A look is reached once its seeds are planned; a run that is missing doesn't put it off."""
    assert [_differences(n, (6, 8, 12)).look for n in (1, 6, 7, 8, 12)] == [0, 0, 0, 1, 2]
    assert _differences(1, (6, 8), missing=tuple(range(1, 8))).look == 1


def test_looks_at_too_few_pairs_are_none():
    """Where nothing can be judged nothing is spent; but one look there is."""
    assert _differences(10, (2, 5, 10)).judging_looks == (10,)
    assert _differences(3, (3,)).judging_looks == (3,)


def test_the_least_p_of_all_looks_counts():
    """A test's p after several looks is the least of what each look's comes to when it is counted for all, with it."""
    p = {6: 0.01, 8: 0.2}
    least, look = _differences(8, (6, 8)).p_over_looks(lambda sample: p[len(sample)])
    assert (least, look) == (overall_p(0.01, (6, 8), 0), 0)
    assert least < overall_p(0.2, (6, 8), 1)
    assert _differences(5, (5,)).p_over_looks(lambda _: 0.0) == (1.0, 0)


def test_the_looks_of_two_are_those_of_the_one_that_had_more():
    """Whoever was looked at more often has spent more."""
    suite = recorded_suite({"baseline": [0.9] * 12, "wide": [0.9] * 12}, looks=(6, 12))
    suite.variants["looks"] = [(6, 12), (12,)]
    assert to_baseline(suite)[0].looks == (6, 12)
