"""Which runs of two variants are partners."""

from __future__ import annotations

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.partners import best_run, find_run, pair_runs
from mnist_bench.errors import ComparisonError


def test_pairs_what_both_have_finished():
    """Seeds that failed or are missing on one side are left out, and said to be, with the reason."""
    suite = recorded_suite({"baseline": [0.9, 0.9, None, 0.9], "wide": [0.8, None, 0.8, 0.8]}, planned=5)
    pairing = pair_runs(suite, "wide", "baseline")
    assert pairing.runs_a == {0: "wide-0", 3: "wide-3"}
    assert pairing.runs_b == {0: "baseline-0", 3: "baseline-3"}
    assert pairing.left_out.to_numpy().tolist() == [
        ["wide", 1, "failed: the loss was nan"],
        ["wide", 4, "not finished"],
        ["baseline", 2, "failed: the loss was nan"],
        ["baseline", 4, "not finished"],
    ]


def test_what_was_never_planned_is_told_from_what_is_missing():
    """A seed that one variant alone was planned for has no partner, and that is nobody's failure."""
    suite = recorded_suite({"baseline": [0.9, 0.9, 0.9], "wide": [0.8, 0.8]})
    suite.variants.at[1, "seeds_planned"] = [0, 1]
    assert pair_runs(suite, "baseline", "wide").left_out.to_numpy().tolist() == [["wide", 2, "not planned"]]


def _with_offset():
    """A suite whose second variant draws other luck: its seeds are 100 further on."""
    suite = recorded_suite({"baseline": [0.9, 0.9, None], "other_luck": [0.8, 0.8, 0.8]})
    suite.variants["seed_offset"] = [0, 100]
    suite.variants.at[1, "seeds_planned"] = [100, 101, 102, 103]
    suite.runs["seed"] += 100 * (suite.runs["variant"] == "other_luck")
    return suite


def test_a_seed_offset_pairs_other_seeds():
    """Runs pair by their seed less the offset, and are spoken of by the seed that they had."""
    pairing = pair_runs(_with_offset(), "other_luck", "baseline")
    assert pairing.runs_a == {0: "other_luck-0", 1: "other_luck-1"}
    assert pairing.left_out.to_numpy().tolist() == [
        ["other_luck", 103, "not finished"],
        ["baseline", 2, "failed: the loss was nan"],
        ["baseline", 3, "not planned"],
    ]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("wide", "base_line", "made_up on made-up has no variant 'base_line'; did you mean 'baseline'"),
        ("nothing", "baseline", "nothing has no finished run in made_up on made-up: run the suite first"),
        ("late", "baseline", r"late and baseline have no finished seed in common.*compare two runs, as in late@SEED"),
        ("wide", "late", "wide and late have 1 finished seed in common, and a comparison needs two"),
    ],
)
def test_refuses_variants_without_pairs(a, b, message):
    """Variants that can't be paired are refused with what to do about it."""
    accuracies = {"baseline": [0.9, 0.9, None], "late": [None, None, 0.9], "wide": [None, 0.9, 0.9], "nothing": [None]}
    with pytest.raises(ComparisonError, match=message):
        pair_runs(recorded_suite(accuracies), a, b)


def test_finds_a_run_by_its_seed():
    """The seed is the run's own, whatever it pairs with."""
    suite = _with_offset()
    assert find_run(suite, "baseline", 1) == "baseline-1"
    assert find_run(suite, "other_luck", 102) == "other_luck-2"


@pytest.mark.parametrize(
    ("variant", "seed", "message"),
    [
        ("base", 0, "did you mean 'baseline'"),
        ("baseline", 2, r"baseline@2 is no finished run .*\(failed: the loss was nan\); finished seeds: 0, 1"),
        ("other_luck", 103, r"\(not finished\); finished seeds: 100, 101, 102"),
        ("other_luck", 1, r"\(not planned\)"),
    ],
)
def test_a_run_that_is_not_there_is_told_with_those_that_are(variant, seed, message):
    """Why there is no such run, and which there are."""
    with pytest.raises(ComparisonError, match=message):
        find_run(_with_offset(), variant, seed)


def test_a_variants_best_run_is_the_one_that_its_parent_names():
    """It is told by its variant; one without a finished run, or that isn't there, is refused."""
    suite = recorded_suite({"baseline": [0.9, 0.9], "nothing": [None]})
    suite.variants["best_run_id"] = ["baseline-1", None]
    assert best_run(suite, "baseline") == "baseline-1"
    with pytest.raises(ComparisonError, match="nothing has no finished run in made_up on made-up: run the suite first"):
        best_run(suite, "nothing")
    with pytest.raises(ComparisonError, match="did you mean 'baseline'"):
        best_run(suite, "base")
