"""Pairs of runs, and which are missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.pairing import Differences, accuracies, differences_from
from mnist_bench.analysis.statistics import overall_p


def test_differences_are_taken_pair_by_pair_in_percentage_points():
    """Each seed's accuracy less the baseline's with the same seed, whatever order they were recorded in."""
    suite = recorded_suite({"baseline": [0.90, 0.80], "wide": [0.91, 0.83]})
    (wide,) = differences_from(replace(suite, runs=suite.runs.iloc[::-1]), "baseline")
    assert (wide.variant, wide.missing) == ("wide", ())
    assert list(wide.by_pair) == [0, 1]
    assert list(wide.by_pair.values()) == pytest.approx([1, 3])


def test_a_pair_needs_both_runs():
    """A run that failed on either side, or was not trained yet, leaves its pair missing."""
    (wide,) = differences_from(
        recorded_suite({"baseline": [0.9, None, 0.9, 0.9], "wide": [0.9, 0.9, None]}), "baseline"
    )
    assert (list(wide.by_pair), wide.missing) == ([0], (1, 2, 3))


def test_a_seed_offset_does_not_part_a_pair():
    """Variants with seeds of their own are paired by what their seeds would be without the offset."""
    suite = recorded_suite({"baseline": [0.9, 0.8], "again": [0.91, 0.83]})
    mine = suite.variants["variant"] == "again"
    suite.variants.loc[mine, "seed_offset"] = 1000
    suite.variants.loc[mine, "seeds_planned"] = suite.variants.loc[mine, "seeds_planned"].map(lambda _: [1000, 1001])
    suite.runs.loc[suite.runs["variant"] == "again", "seed"] += 1000
    (again,) = differences_from(suite, "baseline")
    assert (list(again.by_pair), again.missing) == ([0, 1], ())


def test_only_planned_pairs_count():
    """Seeds beyond the plan of either side are not used, though they were trained once."""
    suite = recorded_suite({"baseline": [0.9] * 4, "wide": [0.8] * 4}, planned=2)
    assert list(differences_from(suite, "baseline")[0].by_pair) == [0, 1]


def test_without_a_finished_run_all_pairs_are_missing():
    """A suite that has just been planned has variants, and no figures."""
    suite = recorded_suite({"baseline": [], "wide": []}, planned=2)
    assert accuracies(suite).empty
    assert differences_from(suite, "baseline") == [Differences("wide", {}, (0, 1))]


def test_looks_are_reached_by_plan():
    """A look is reached once its seeds are planned; a run that is missing doesn't put it off."""
    looks = (2, 4, 6)
    assert [Differences("v", dict.fromkeys(range(n), 0.0), ()).look(looks) for n in (1, 2, 3, 4, 6)] == [0, 0, 0, 1, 2]
    assert Differences("v", {0: 0.0}, (1, 2, 3)).look(looks) == 1


def test_the_least_p_of_all_looks_counts():
    """A test's p after several looks is the least of what each look's comes to when it is counted for all."""
    differences = Differences("v", {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}, ())
    p = {2: 0.01, 4: 0.2}
    least = differences.p_over_looks(lambda sample: p[len(sample)], (2, 4))
    assert least == overall_p(0.01, (2, 4), 0)
    assert least < overall_p(0.2, (2, 4), 1)
    assert Differences("v", {0: 1.0}, (1,)).p_over_looks(lambda _: 0.0, (2,)) == 1
