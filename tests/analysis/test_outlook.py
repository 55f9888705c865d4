"""What seeds can show, before they are trained."""

from __future__ import annotations

import math
import statistics

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.outlook import GUESS_PP, Spread, outlook, spreads_seen, warnings
from mnist_bench.analysis.statistics import power


def test_the_spread_is_that_of_paired_differences():
    """The deviation is of the differences to the baseline, over the pairs that there are."""
    suite = recorded_suite({"baseline": [0.90, 0.92, 0.91], "wide": [0.91, 0.95, None], "once": [0.9, None, None]})
    assert spreads_seen(suite) == {"wide": Spread(pytest.approx(statistics.stdev([1, 3])), "2 pairs")}


def test_what_was_not_seen_is_taken_from_the_others_or_guessed():
    """The median of the seen spreads stands for the unseen; where none is, a guess that says so."""
    seen = {"a": Spread(0.1, "9 pairs"), "b": Spread(0.3, "9 pairs")}
    assert outlook(["a", "b", "c"], 10, 0.1, seen)[2].spread == Spread(0.2, "as the others")
    assert outlook(["a"], 10, 0.1, {})[0].spread == Spread(GUESS_PP, "a guess")


def test_what_it_says_can_be_shown_is_found_in_four_of_five_cases():
    """The smallest effect has a power of 80% at the level of Holm's first step, and so have the seeds it asks for."""
    (one, *_) = outlook(["a", "b"], 10, 0.1, {"a": Spread(0.15, "seen")})
    assert power(one.detectable_pp, 0.15, 10, 0.025) == pytest.approx(0.8, abs=1e-6)
    assert power(0.1, 0.15, one.seeds_for_smallest, 0.025) >= 0.8


@pytest.mark.parametrize(
    ("variants", "seeds", "spread", "warning"),
    [
        (1, 5, 0.1, "with 5 seeds p is never below 0.062"),
        (7, 8, 0.1, "9 seeds can"),
        (30, 10, 0.01, "with 30 to be told from the baseline it has to reach 0.0017"),
        (7, 10, 0.2, "7 of 7 comparisons may miss an effect of 0.1 pp"),
        (0, 10, 0.1, "nothing to compare"),
    ],
)
def test_it_warns_where_no_verdict_is_reachable(variants, seeds, spread, warning):
    """Five seeds, too many comparisons for ten, too small an effect for the spread: each is told beforehand."""
    names = [f"v{n}" for n in range(variants)]
    outlooks = outlook(names, seeds, 0.1, dict.fromkeys(names, Spread(spread, "seen")))
    assert warning in " ".join(warnings(outlooks, seeds, 0.1))


def test_enough_seeds_give_no_warning():
    """Where each effect that matters would be found, nothing is said."""
    outlooks = outlook(["a", "b"], 10, 0.1, {"a": Spread(0.05, "seen"), "b": Spread(0.05, "seen")})
    assert not list(warnings(outlooks, 10, 0.1))
    assert math.isinf(outlook(["a"], 3, 0.1, {})[0].detectable_pp)
