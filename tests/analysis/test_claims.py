"""Claims judged: each rule at its boundaries, on made-up runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import recorded_suite

from mnist_bench.analysis.claims import CONTRADICTED, INCONCLUSIVE, NOT_RUN, REPRODUCED, judge, not_run
from mnist_bench.claims import AtLeast, Below, Better, BetterBy, Figure, Overfits, Slower

ABOUT = {"says": "s", "source": "p", "suite": "made_up"}
FIGURE = Figure(**ABOUT, variant="baseline", accuracy_percent=90, tolerance_pp=0.5)
BETTER = Better(**ABOUT, better="wide", worse="baseline")
SLOWER = Slower(**ABOUT, slower="wide", faster="baseline", reach_percent=57)
OVERFITS = Overfits(**ABOUT, variant="baseline", epoch=20, tolerance_epochs=5)


def _no_curves(run_ids, metric):
    raise AssertionError("a claim about test accuracies asks for no curve")


def _judge(claim, *, read_curves=_no_curves, **accuracies):
    return judge(claim, replace(recorded_suite(accuracies), smallest_effect_pp=0.5), read_curves)


def _judge_effect(claim, effects):
    """Judge by differences in percentage points, seed by seed."""
    return _judge(claim, baseline=[0.5] * len(effects), wide=[(50 + effect) / 100 for effect in effects])


def _judge_curves(claim, metric, **curves):
    """Judge by curves, seed by seed."""
    by_id = {f"{variant}-{seed}": curve for variant in curves for seed, curve in enumerate(curves[variant])}

    def read_curves(run_ids, asked):
        assert asked == metric
        return {run_id: by_id[run_id] for run_id in run_ids}

    return _judge(claim, read_curves=read_curves, **{name: [0.9] * len(each) for name, each in curves.items()})


# Equal figures have an interval without width. Of two figures d apart it reaches 6.35 d to either side of their mean.
@pytest.mark.parametrize(
    ("accuracies", "verdict", "so"),
    [
        ([0.905] * 6, REPRODUCED, "90.50% [90.50, 90.50] over 6 seeds, +0.50 pp from the published 90: within the "),
        ([0.895] * 6, REPRODUCED, "−0.50 pp from the published 90: within the tolerance of 0.5 pp."),
        ([0.9051] * 6, CONTRADICTED, "+0.51 pp from the published 90: higher than the tolerance of 0.5 pp allows."),
        ([0.8949] * 6, CONTRADICTED, "−0.51 pp from the published 90: lower than the tolerance of 0.5 pp allows."),
        (
            [0.904, 0.905],
            INCONCLUSIVE,
            "90.45% [89.81, 91.09] over 2 seeds, +0.45 pp from the published 90: partly out",
        ),
        ([0.907, 0.908], INCONCLUSIVE, "+0.75 pp from the published 90: partly outside the tolerance of 0.5 pp."),
        ([0.85, 0.95], INCONCLUSIVE, "90.00% [26.47, 153.53] over 2 seeds, +0.00 pp"),
    ],
)
def test_a_figure_is_held_against_its_tolerance(accuracies, verdict, so):
    """Within is reproduced, bounds included; outside contradicted, with the direction; across a bound neither."""
    judgement = _judge(FIGURE, baseline=accuracies)
    assert judgement.verdict == verdict
    assert so in judgement.evidence


@pytest.mark.parametrize(
    ("accuracies", "at_least", "below", "so"),
    [
        ([0.9] * 6, REPRODUCED, CONTRADICTED, "+0.00 pp from 90%: at or above it."),
        ([0.8999] * 6, CONTRADICTED, REPRODUCED, "−0.01 pp from 90%: below it."),
        ([0.9, 0.901], INCONCLUSIVE, INCONCLUSIVE, "+0.05 pp from 90%: it may be on either side."),
    ],
)
def test_bounds_are_two_sides_of_one_rule(accuracies, at_least, below, so):
    """To reach a bound is to be at it or above; what reproduces the one claim contradicts the other."""
    reached = _judge(AtLeast(**ABOUT, variant="baseline", at_least_percent=90), baseline=accuracies)
    missed = _judge(Below(**ABOUT, variant="baseline", below_percent=90), baseline=accuracies)
    assert (reached.verdict, missed.verdict) == (at_least, below)
    assert so in reached.evidence
    assert so in missed.evidence


@pytest.mark.parametrize(
    ("effects", "verdict", "so"),
    [
        ([1] * 6, REPRODUCED, "wide against baseline: +1.00 pp [+1.00, +1.00] over 6 seeds: better."),
        ([0.25] * 6, REPRODUCED, "better, but by less than the 0.5 pp that matter."),
        ([0.4, 0.45], REPRODUCED, "+0.43 pp [+0.11, +0.74] over 2 seeds: better."),
        ([0] * 6, CONTRADICTED, "over 6 seeds: no gain."),
        ([0, 0.06], INCONCLUSIVE, "+0.03 pp [−0.35, +0.41] over 2 seeds: any gain is below the 0.5 pp that matter."),
        ([0, 0.1], INCONCLUSIVE, "+0.05 pp [−0.59, +0.69] over 2 seeds: it may be no gain, or one of the 0.5 pp"),
        ([-1] * 6, CONTRADICTED, "−1.00 pp [−1.00, −1.00] over 6 seeds: the other way round."),
        ([-0.25] * 6, CONTRADICTED, "the other way round, but by less than the 0.5 pp that matter."),
        ([-0.4, -0.46], CONTRADICTED, "−0.43 pp [−0.81, −0.05] over 2 seeds: the other way round."),
    ],
)
def test_better_is_more_than_nothing(effects, verdict, so):
    """Above 0 is reproduced, not above 0 contradicted; both say whether it matters, and so does what lies across."""
    judgement = _judge_effect(BETTER, effects)
    assert judgement.verdict == verdict
    assert so in judgement.evidence


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([7] * 6, REPRODUCED),
        ([3] * 6, REPRODUCED),
        ([8] * 6, CONTRADICTED),
        ([2] * 6, CONTRADICTED),
        ([5, 6], INCONCLUSIVE),
    ],
)
def test_better_by_so_much_is_held_against_its_tolerance(effects, verdict):
    """A difference of a published size is judged as a figure is."""
    claim = BetterBy(**ABOUT, better="wide", worse="baseline", by_pp=5, tolerance_pp=2.001)
    judgement = _judge_effect(claim, effects)
    assert judgement.verdict == verdict
    assert f"{sum(effects) / len(effects) - 5:+.2f} pp from the published 5".replace("-", "−") in judgement.evidence


def _rising(epochs, length=5):
    """Curves that come to exactly 57% at these epochs; None is never."""
    return [[0.57 if epoch and at >= epoch else 0.1 for at in range(1, length + 1)] for epoch in epochs]


@pytest.mark.parametrize(
    ("slower", "faster", "verdict", "so"),
    [
        (
            [3] * 6,
            [1] * 6,
            REPRODUCED,
            "+2.00 epochs [+2.00, +2.00] over 6 seeds to 57% of validation accuracy: slower.",
        ),
        (
            [2] * 6,
            [2] * 6,
            CONTRADICTED,
            "+0.00 epochs [+0.00, +0.00] over 6 seeds to 57% of validation accuracy: no s",
        ),
        ([1] * 6, [3] * 6, CONTRADICTED, "the other way round."),
        ([3, 1], [1, 2], INCONCLUSIVE, "either may be the slower."),
        ([None] * 6, [1] * 6, REPRODUCED, "+5.00 epochs [+5.00, +5.00]"),
        ([3] * 6, [None] * 6, CONTRADICTED, "−3.00 epochs [−3.00, −3.00]"),
        ([None] * 6, [None] * 6, INCONCLUSIVE, "runs that never reach it leave it open."),
    ],
)
def test_slower_is_more_epochs_to_reach(slower, faster, verdict, so):
    """Later by any number of epochs is reproduced, no later contradicted; a run that never reaches it is as late."""
    judgement = _judge_curves(SLOWER, "val_accuracy", wide=_rising(slower), baseline=_rising(faster))
    assert judgement.verdict == verdict
    assert so in judgement.evidence


def test_runs_that_never_reach_are_counted_and_told():
    """How many there are of each variant stands in the evidence, and nothing where there are none."""
    some = _judge_curves(SLOWER, "val_accuracy", wide=_rising([None, 3]), baseline=_rising([None, 1]))
    assert some.evidence.endswith(
        " Counted as one epoch after their last, since they never reach it: 1 of wide and 1 of baseline."
    )
    none = _judge_curves(SLOWER, "val_accuracy", wide=_rising([3] * 6), baseline=_rising([1] * 6))
    assert "Counted" not in none.evidence


def test_a_run_that_never_reaches_does_not_show_its_variant_faster():
    """It is counted as too early: had it gone on, it might have come after the other."""
    late, short = _rising([15] * 6, length=20), _rising([None] * 6)
    assert _judge_curves(SLOWER, "val_accuracy", wide=late, baseline=short).verdict == INCONCLUSIVE
    assert _judge_curves(SLOWER, "val_accuracy", wide=short, baseline=late).verdict == INCONCLUSIVE


def _bowls(*epochs, length=50):
    """Loss curves that are least at these epochs."""
    return [[abs(epoch - at) for at in range(1, length + 1)] for epoch in epochs]


@pytest.mark.parametrize(
    ("losses", "verdict", "so"),
    [
        (
            _bowls(*[20] * 6),
            REPRODUCED,
            "Least validation loss at epoch 20.0 [20.0, 20.0] over 6 seeds, +0.00 epochs from",
        ),
        (
            _bowls(*[15] * 6),
            REPRODUCED,
            "−5.00 epochs from the published 20: within the tolerance of 5 epochs. It rises",
        ),
        (_bowls(*[25] * 6), REPRODUCED, "It rises from there in every run, from 0.0000 to 25.0000 on average."),
        (
            _bowls(*[14] * 6),
            CONTRADICTED,
            "−6.00 epochs from the published 20: lower than the tolerance of 5 epochs allow",
        ),
        (
            _bowls(*[26] * 6),
            CONTRADICTED,
            "+6.00 epochs from the published 20: higher than the tolerance of 5 epochs all",
        ),
        (_bowls(19, 21), INCONCLUSIVE, "partly outside the tolerance of 5 epochs."),
        (
            _bowls(*[20] * 6, length=20),
            INCONCLUSIVE,
            "runs that are too short leave it open. In 6 of 6 runs it is least",
        ),
        (_bowls(*[10] * 6, length=10), INCONCLUSIVE, "runs that are too short leave it open."),
        (
            _bowls(20, length=20) + _bowls(20),
            INCONCLUSIVE,
            "In 1 of 2 runs it is least in the last epoch: no overfitting there.",
        ),
        (
            _bowls(*[50] * 6),
            CONTRADICTED,
            "higher than the tolerance of 5 epochs allows. In 6 of 6 runs it is least in t",
        ),
    ],
)
def test_overfitting_is_a_loss_that_rises_from_an_epoch(losses, verdict, so):
    """The least must lie near the epoch and before the last; one in the last epoch is no sign that it comes early."""
    judgement = _judge_curves(OVERFITS, "val_loss", baseline=losses)
    assert judgement.verdict == verdict
    assert so in judgement.evidence


def test_a_few_runs_that_are_all_alike_have_no_interval():
    """Two or three equal figures are often enough a coincidence, also where their sum rounds; six are not."""
    pairs = {"baseline": [0.9866, 0.9731, 0.9902], "wide": [0.9876, 0.9741, 0.9912]}  # ten images apart
    for few in (
        _judge(FIGURE, baseline=[0.9, 0.9]),
        _judge(FIGURE.model_copy(update={"accuracy_percent": 98.66}), baseline=[0.9866] * 3),
        _judge(BETTER, **pairs),
    ):
        assert few.verdict == INCONCLUSIVE
        assert few.evidence.endswith("so few runs, all alike, have no interval.")


def test_a_gain_that_can_not_matter_is_told_as_such():
    """However large the loss may be: only the upper bound says how much is gained."""
    judgement = _judge_effect(BETTER, [-0.9, -0.1, -0.4, -0.7, 0.2, -0.3])
    assert judgement.found.low < -0.5 < 0 < judgement.found.high < 0.5
    assert judgement.evidence.endswith("any gain is below the 0.5 pp that matter.")


def test_seeds_that_were_added_after_a_look_do_not_count():
    """They were added because of what the first look showed."""
    suite = recorded_suite({"baseline": [0.9] * 12, "wide": [0.91] * 6 + [0.8] * 6}, looks=(6, 12))
    judgement = judge(BETTER, suite, _no_curves)
    assert (judgement.verdict, judgement.found.n, judgement.planned) == (REPRODUCED, 6, 6)


def test_one_run_has_no_interval():
    """Its figure is told, and nothing is concluded from it, whatever it is."""
    for judgement, figure in (
        (
            _judge(FIGURE, baseline=[0.9, None, None]),
            "90.00% over 1 of 3 planned seeds, +0.00 pp from the published 90",
        ),
        (_judge_effect(BETTER, [1]), "wide against baseline: +1.00 pp over 1 seed"),
        (
            _judge_curves(SLOWER, "val_accuracy", wide=_rising([3]), baseline=_rising([1])),
            "+2.00 epochs over 1 seed to 57% of validation accuracy",
        ),
    ):
        assert judgement.verdict == INCONCLUSIVE
        assert judgement.evidence.startswith(figure) or figure in judgement.evidence
        assert ": one run has no interval." in judgement.evidence


def test_pairs_are_those_that_both_variants_finished():
    """What finished on one side only doesn't count, and the evidence says how many of the planned seeds did."""
    judgement = _judge(BETTER, baseline=[0.1, 0.5, 0.6, None], wide=[None, 0.51, 0.6101, 0.9])
    assert judgement.verdict == REPRODUCED
    assert (judgement.found.n, judgement.planned) == (2, 4)
    assert "+1.00 pp [+0.94, +1.07] over 2 of 4 planned seeds" in judgement.evidence


def test_runs_are_paired_whatever_their_order_and_offset():
    """Rows in another order, and seeds that are offset, still meet their own partner."""
    suite = recorded_suite({"baseline": [0.5, 0.6], "wide": [0.51, 0.6101]})
    of_wide = suite.runs["variant"] == "wide"
    suite.runs.loc[of_wide, "seed"] += 100
    suite.variants.loc[suite.variants["variant"] == "wide", "seed_offset"] = 100
    suite.variants.at[1, "seeds_planned"] = [100, 101]
    shuffled = replace(suite, runs=suite.runs.iloc[::-1].reset_index(drop=True))
    judgement = judge(BETTER, shuffled, _no_curves)
    assert (judgement.verdict, judgement.found.n, judgement.planned) == (REPRODUCED, 2, 2)


def test_no_shared_seed_is_told():
    """Both variants ran, but nothing pairs them."""
    judgement = _judge(BETTER, baseline=[0.5, None], wide=[None, 0.6])
    assert (judgement.verdict, judgement.found, judgement.planned) == (INCONCLUSIVE, None, 2)
    assert judgement.evidence == "No seed has finished in both wide and baseline."


@pytest.mark.parametrize(
    ("wide", "evidence"),
    [([], "No run of wide has finished."), ([None, None], "No run of wide has finished; 2 failed.")],
)
def test_a_variant_without_finished_runs_is_not_run_yet(wide, evidence):
    """The command that would run it stands beside, with what the variant is compared to."""
    judgement = _judge(BETTER, baseline=[0.5, 0.6], wide=wide)
    assert (judgement.verdict, judgement.evidence) == (NOT_RUN, evidence)
    assert judgement.command == "mnist-bench run --suite made_up --dataset made-up --only baseline --only wide"


def test_a_variant_that_was_never_planned_is_not_run_yet():
    """A suite that was recorded before the variant was in it is no fault."""
    assert _judge(BETTER, baseline=[0.5, 0.6]).verdict == NOT_RUN


def test_a_suite_that_was_never_run_is_not_run_yet():
    """Without any record the command is all there is to say; the baseline is named once."""
    judgement = not_run(FIGURE, "mnist")
    assert (judgement.verdict, judgement.found) == (NOT_RUN, None)
    assert judgement.evidence == "Nothing of suite made_up is recorded on mnist."
    assert judgement.command == "mnist-bench run --suite made_up --dataset mnist --only baseline"


def test_why_is_told_of_contradictions_alone():
    """The reason for a contradiction would mislead where there is none."""
    claim = FIGURE.model_copy(update={"why": "The publication quotes its best epoch."})
    assert _judge(claim, baseline=[0.8, 0.801]).why == "The publication quotes its best epoch."
    assert _judge(claim, baseline=[0.9, 0.9]).why == ""
