"""What is said beneath a leaderboard."""

from __future__ import annotations

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.leaderboard import failed_runs, leaderboard
from mnist_bench.reporting.remarks import remarks


def said(suite):
    """All of it, in one line."""
    return " ".join(remarks(suite, leaderboard(suite), failed_runs(suite)))


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        (6, "Looked at after 6 seeds, planned to be after 12, 18 too: p and"),
        (12, "Looked at after 6, 12 seeds, planned to be after 18 too: p and"),
        (18, "Looked at after 6, 12, 18 seeds: p and"),
    ],
)
def test_looks_are_told_that_were_had_and_that_are_planned(seeds, told):
    """Where all was decided at the first, nobody is told that one looked at more."""
    accuracies = {"baseline": [0.9 + seed / 1000 for seed in range(seeds)], "wide": [0.95] * seeds}
    assert told in said(recorded_suite(accuracies, looks=(6, 12, 18)))


def test_missing_pairs_are_of_all_that_are_planned():
    """Also where an earlier look has decided, whose pairs are fewer."""
    suite = recorded_suite({"baseline": [0.9] * 12, "wide": [0.95, 0.96] * 5 + [0.95, None]}, looks=(6, 12))
    assert "missing: wide, 1 of 12 pairs" in said(suite)


def test_a_baseline_alone_has_no_verdicts():
    """It is not said that the baseline wasn't run."""
    assert "No verdicts: nothing but the baseline was run." in said(recorded_suite({"baseline": [0.9] * 6}))
