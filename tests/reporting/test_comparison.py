"""A comparison in words, tables and JSON."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from made_up import recorded_suite
from rich.console import Console

from mnist_bench.analysis.comparison import compare_runs, compare_variants
from mnist_bench.analysis.partners import pair_runs
from mnist_bench.reporting.comparison import as_json, as_text

TRUTH = np.repeat(np.arange(10), 100)  # (1000,)
LONG = "a_variant_with_a_name_of_sixty_letters_which_is_the_longest_1"


def _run(*wrong):
    """What a run predicts that takes these images for the class before theirs."""
    predicted = TRUTH.copy()
    predicted[list(wrong)] = (predicted[list(wrong)] - 1) % 10
    return predicted


def _variants(a, b, failed=(), name="wide"):
    """Two variants of as many runs, of which some failed."""
    finished = [None if pair in failed else 0.9 for pair in range(len(b))]
    pairing = pair_runs(recorded_suite({"baseline": [0.9] * len(b), name: finished}), name, "baseline")
    sides = ({pair: run for pair, run in enumerate(side) if pair not in failed} for side in (a, b))
    return compare_variants(pairing, *sides, TRUTH)


def _shown(comparison, width=80):
    terminal = io.StringIO()
    Console(file=terminal, width=width, highlight=False).print(as_text(comparison))
    assert max(map(len, terminal.getvalue().splitlines())) <= width
    return " ".join(terminal.getvalue().split())


BETTER = _variants([_run(5)] * 10, [_run(*range(30), 950 + seed) for seed in range(10)])


def test_two_variants_in_words():
    """Accuracies, effect, p, noise of seeds and of images, and the counts are told, and what they carry."""
    shown = _shown(BETTER)
    for fact in (
        "A wide 99.90 99.90 to 99.90",
        "B baseline 96.90 96.90 to 96.90",
        "Means over 10 seeds; their intervals, by Student's t, hold the noise of training.",
        "wide is 3.00 pp more accurate than baseline in the mean of 10 paired seeds. Difference +3.00 pp, 95% interval",
        "interval +3.00 to +3.00 (Student's t: the noise of training); p = 0.002 by flipping signs, of this",
        "of this comparison alone and not corrected for others. That is more than luck with the seeds.",
        "bootstrap over 1,000 images: the noise of the test set, for these very runs",
        "right for a variant if more than half of its 10 runs get it right",
        "both do on 970, neither on 1, A alone on 29, B alone on 0, which is more than luck with the images (",
        "A alone is right, the first 20 of 29 (number from 0: truth → B's mistake) 0: 0 → 9 1: 0 → 9",
        "0 100 99.00 70.00 +29.00 29 0 < 0.0001 0.02 differ",
        "9 100 100.00 99.00 +1.00 0 0 1 0.02 Recall",
        "They differ in class 0.",
    ):
        assert fact in shown
    assert "B alone is right" not in shown
    assert "Missing" not in shown
    assert "20: 0 → 9" in shown
    assert "21: 0 → 9" not in shown  # the 21st, since both are wrong on 5


def test_what_is_left_out_is_told():
    """Seeds without partner are named, by variant and reason."""
    shown = _shown(_variants([_run(1)] * 10, [_run(2)] * 10, failed=(3, 4)))
    assert "in the mean of 8 paired seeds" in shown
    assert "Missing, so that their pairs don't count: wide seeds 3, 4 (failed: the loss was nan)." in shown
    assert "Missing, so that their pairs don't count: wide seed 3 (failed: the loss was nan)." in _shown(
        _variants([_run(1)] * 10, [_run(2)] * 10, failed=(3,))
    )


def test_few_seeds_are_told_to_be_few():
    """Below six seeds no p is small enough, and below nine none of ten classes can differ; no more is claimed."""
    shown = _shown(_variants([_run()] * 4, [_run(*range(30))] * 4))
    assert "p = 0.12 by flipping signs" in shown
    assert "So few seeds can't tell any two variants apart: p is at least 0.125 whatever they show." in shown
    assert "That takes 9 seeds or more; of 4, no class can be said to differ." in shown


def test_what_is_not_shown_is_not_called_equal():
    """Ten seeds that win and lose by turns tell nothing apart, in no class."""
    sides = [[_run(seed % 2) for seed in range(10)], [_run(), _run(1, 2)] * 5]
    shown = _shown(_variants(*sides))
    assert (
        "wide and baseline are equally accurate, to 0.01 pp, in the mean of 10 paired seeds. Difference +0.00" in shown
    )
    assert "These seeds don't tell the two apart, which is not to say that they are equal." in shown
    assert "which may be luck with the images (p = 1, McNemar)" in shown
    assert "The evidence carries a difference in no class." in shown


def test_the_worse_is_called_less_accurate():
    """The direction stands in words and as a sign, of which there is only one kind of minus."""
    shown = _shown(_variants([_run(*range(7))] * 3, [_run()] * 3))
    assert "wide is 0.70 pp less accurate than baseline" in shown
    assert "Difference −0.70 pp, 95% interval −0.70 to −0.70" in shown
    assert "B alone is right, all 7 (number from 0: truth → A's mistake)" in shown


def test_two_runs_in_words():
    """Two runs have no seeds to speak of, and it is said what they can't tell."""
    shown = _shown(compare_runs(("wide@0", "baseline@0"), _run(1, 2), _run(*range(300, 340)), TRUTH))
    assert "run accuracy percent" in shown
    assert "A wide@0 99.80 99.27 to 99.95" in shown
    assert "The intervals, by Wilson, hold the noise of 1,000 test images." in shown
    assert "An image counts as right if the run gets it right: both do on 958" in shown
    assert "paired seeds" not in shown
    assert "They differ in class 3." in shown
    assert "Whether the change between them did it, two runs can't tell" in shown


@pytest.mark.parametrize("width", [80, 120])
def test_long_names_are_folded_or_fit(width):
    """A name of 60 letters breaks no table, and is there whole where there is room."""
    compared = _variants([_run(*range(900, 1000))] * 2, [_run()] * 2, name=LONG)
    assert f"{LONG} is 10.00 pp less accurate" in _shown(compared, width)


def test_json_holds_all_of_it():
    """Figures are unrounded and every image is there; what was asked about stands first."""
    told = json.loads(as_json(BETTER, {"suite": "made_up"}))
    assert next(iter(told)) == "suite"
    assert told["a"] == {"name": "wide", "accuracy_percent": 99.9, "low_percent": 99.9, "high_percent": 99.9}
    seeds = told["over_seeds"]
    assert (seeds["pairs"], seeds["p_sign_flip"], seeds["left_out"]) == (10, 2 / 2**10, [])
    assert seeds["effect_pp"] == pytest.approx(3)
    images = told["over_images"]
    assert images["low_pp"] < images["effect_pp"] < images["high_pp"]
    assert (images["both_right"], images["neither_right"]) == (970, 1)
    assert len(images["only_a"]) == 29
    assert images["only_a"][0] == {"image": 0, "truth": 0, "taken_for": 9}
    assert told["classes"][0]["p_seeds"] == pytest.approx(10 * 2 / 2**10)
    assert [row["differs"] for row in told["classes"]] == [True] + [False] * 9


def test_json_of_two_runs_has_no_seeds():
    """What two runs can't have is null."""
    told = json.loads(as_json(compare_runs(("a", "b"), _run(1), _run(), TRUTH), {}))
    assert told["over_seeds"] is None
    assert "p_seeds" not in told["classes"][0]
