"""A suite's answer in words."""

from __future__ import annotations

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.leaderboard import leaderboard
from mnist_bench.reporting.answer import answer

BASELINE = [0.95, 0.951, 0.952, 0.95, 0.953, 0.951, 0.95, 0.952]


def _answer(**variants):
    return " ".join(answer(leaderboard(recorded_suite({"baseline": BASELINE} | variants))))


def test_the_verdicts_are_counted_and_named():
    """Each kind of verdict is said with the variants that have it, and those that help or hurt with their size."""
    said = _answer(
        better=[each + 0.01 + 0.0001 * place for place, each in enumerate(BASELINE)],
        worse=[each - 0.02 + 0.0001 * place for place, each in enumerate(BASELINE)],
        open=[0.95, 0.96, 0.94, 0.953, 0.949, 0.952, 0.955, 0.947],
    )
    assert said.startswith(
        "Of 3 changes to the baseline, 1 helps: better (+1.03 pp); 1 hurts: worse (−1.97 pp); "
        "1 can't be told from it yet: open. The highest accuracy is that of better: 96.15%, 95% interval 96.0"
    )


def test_nothing_that_helps_is_said_too():
    """That none helps, and none hurts, is an answer; what is equal is said to make no difference that matters."""
    said = _answer(same=[each + 0.0001 * (-1) ** place for place, each in enumerate(BASELINE)])
    assert "Of 1 change to the baseline, none helps; none hurts; 1 makes no difference that matters: same." in said
    assert "doesn't part it from 1 more, which share its rank." in said


def test_a_highest_that_is_not_ranked_is_told():
    """Two lucky runs are ahead of all ranks, and it says that they are too few."""
    said = _answer(lucky=[0.99, 0.98, *[None] * 6], worse=[each - 0.02 for each in BASELINE])
    assert "The highest accuracy is that of lucky: 98.50%" in said
    assert "It has too few runs to be ranked. The highest of the ranked is that of baseline: 95.11%" in said
    assert said.endswith("No other shares its rank.")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ({"baseline": [None]}, "There are no verdicts: nothing was run beside a baseline. No run has finished."),
        ({"baseline": [0.5], "a": [0.75]}, "of a: 75.00%. There are too few runs to rank by."),
    ],
)
def test_little_is_not_made_much_of(runs, said):
    """Without runs, or with few, there is no ranking, and it says so."""
    assert " ".join(answer(leaderboard(recorded_suite(runs)))).endswith(said)
