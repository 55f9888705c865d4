"""Verdicts: the rules, the words, and how often they are wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_up import recorded_suite

from mnist_bench.analysis.pairing import Differences
from mnist_bench.analysis.statistics import power
from mnist_bench.analysis.verdicts import ALPHA, judge, least_seeds, verdicts

ZIGZAG = np.array([1, -1] * 5) / 10  # ten differences with mean 0 and deviation 0.105


def _differences(name, differences, looks=(10,)):
    return Differences(name, dict(enumerate(differences)), (), looks)


def one(differences, smallest_effect_pp=0.1, looks=(10,)):
    """The verdict on a single variant."""
    (verdict,) = judge([_differences("wide", differences, looks)], smallest_effect_pp)
    return verdict


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        (0.3 + ZIGZAG, "helps"),
        (-0.3 + ZIGZAG, "hurts"),
        (0.01 + ZIGZAG / 2, "equivalent"),
        (0.05 + ZIGZAG, "inconclusive"),
        ([0.0] * 10, "equivalent"),  # the same bits under two names
        ([0.3] * 10, "helps"),
        ([0.3] * 5, "inconclusive"),  # p is never below 0.0625
        ([0.0] * 5, "inconclusive"),  # five that are alike by chance show nothing
    ],
)
def test_each_verdict(differences, verdict):
    """Significant after Holm helps or hurts; within the margin is equivalent; anything else is inconclusive."""
    assert one(differences).verdict == verdict


def test_significance_goes_before_equivalence():
    """An effect that is sure and too small to matter helps, and the sentence says that it doesn't matter."""
    verdict = one(0.02 + ZIGZAG / 10)
    assert (verdict.verdict, verdict.p_equivalence < ALPHA) == ("helps", True)
    assert "helps, by less than the 0.1 pp that matter (p = 0.002 after Holm, 10 seeds)" in verdict.sentence


def test_more_comparisons_ask_for_more():
    """What helps by itself need not among many: p is multiplied by the number of variants."""
    clear = _differences("a", 0.3 + ZIGZAG)
    others = [_differences(f"v{n}", ZIGZAG * 10) for n in range(30)]
    assert judge([clear, *others[:20]], 0.1)[0].verdict == "helps"
    alone, among = judge([clear], 0.1)[0], judge([clear, *others], 0.1)[0]
    assert (alone.verdict, among.verdict) == ("helps", "inconclusive")
    assert among.p == pytest.approx(31 * alone.p)


@pytest.mark.parametrize(
    ("differences", "sentence"),
    [
        (-0.3 + ZIGZAG, "wide: −0.30 pp [−0.38, −0.22], hurts (p = 0.002 after Holm, 10 seeds)"),
        (-0.03 + ZIGZAG / 2, "wide: −0.03 pp [−0.07, +0.01], equivalent within ±0.1 pp (p = 0.0012, 10 seeds)"),
        (0.09 + ZIGZAG * 3, "wide: +0.09 pp [−0.14, +0.32], inconclusive: 10 seeds could show 0.32 pp; 0.09 pp would"),
        ([0.3] * 5, "wide: +0.30 pp [+0.30, +0.30], inconclusive: by flipping signs 5 seeds can't tell a variant from"),
        ([0.3], "wide: +0.30 pp, inconclusive: fewer than two seeds have finished beside the baseline's"),
        ([], "wide: not known, inconclusive: fewer than two seeds have finished beside the baseline's"),
    ],
)
def test_the_sentence_says_direction_and_size(differences, sentence):
    """Whatever the verdict, its effect is given as far as it is known, with what it rests on."""
    assert one(differences).sentence.startswith(sentence)


def test_an_inconclusive_verdict_says_what_would_settle_it():
    """The seeds that it names do settle it: the difference where that is nearer, and otherwise equivalence."""
    unlike, alike = one(0.08 + ZIGZAG * 1.5), one(0.02 + ZIGZAG * 2)
    seeds = unlike.seeds_to_settle()[0]
    assert f"0.08 pp would need about {seeds}" in unlike.sentence
    assert power(0.08, unlike.effect.sd, seeds, ALPHA) >= 0.8 > power(0.08, unlike.effect.sd, seeds - 1, ALPHA)
    assert "to show that it is within ±0.1 pp would need about " in alike.sentence


def test_what_can_be_told_is_what_the_test_can_reach():
    """Six pairs reach 5%, and for seven comparisons it takes nine; no sample of signs reaches one in a million."""
    assert (least_seeds(ALPHA), least_seeds(ALPHA / 7), least_seeds(1e-6)) == (6, 9, None)
    looks = (6, *range(5000, 100_000, 5000))
    assert "at so early a look no number can" in one([0.3] * 6, looks=looks).sentence


def test_a_suite_has_a_row_a_variant():
    """Against the suite's baseline, by its own smallest effect; without missing runs there is nothing to suppose."""
    suite = recorded_suite({"baseline": list(0.9 + ZIGZAG / 100), "wide": [0.93] * 10, "bad": [0.8] * 10})
    table = verdicts(suite).set_index("variant")
    assert table["verdict"].to_dict() == {"wide": "helps", "bad": "hurts"}
    assert table["effect_pp"].to_list() == pytest.approx([3, -10])
    assert table[["if_worst", "if_best"]].isna().all(axis=None)


def test_what_a_missing_run_could_change_is_told():
    """Seven pairs that agree but for one: as bad as that one, the missing pair would undo the verdict."""
    baseline, wide = [0.9] * 8, [*[0.92] * 6, 0.885, None]
    (row,) = verdicts(recorded_suite({"baseline": baseline, "wide": wide})).to_dict("records")
    assert (row["pairs"], row["missing_pairs"], row["planned_pairs"]) == (7, 1, 8)
    assert (row["verdict"], row["if_worst"], row["if_best"]) == ("helps", "inconclusive", "helps")


def test_without_a_baseline_there_is_no_verdict():
    """Variants that were run alone have nothing to be compared with."""
    suite = recorded_suite({"baseline": [0.9], "wide": [0.9]})
    assert verdicts(replace(suite, variants=suite.variants.drop(index=0))).empty


def test_a_mean_at_the_margin_is_not_within_it():
    """Ten pairs that all differ by just what matters are not equivalent, however binary numbers round."""
    suite = recorded_suite({"baseline": [0.940] * 10, "wide": [0.941] * 10})
    assert verdicts(suite)["p_equivalence"].to_list() == [1]


def _suites(count, effects, seeds, generator):
    """Made-up suites, one effect a variant: the baseline's noise is shared, as by pairing it is."""
    noise = generator.normal(0, 0.07, (count, len(effects) + 1, seeds))
    return noise[:, 1:] - noise[:, :1] + np.array(effects)[:, None]


def _verdicts(suites, looks, smallest_effect_pp=0.1):
    names = [str(n) for n in range(suites.shape[1])]
    for suite in suites:
        yield judge(
            [_differences(name, each, looks) for name, each in zip(names, suite, strict=True)], smallest_effect_pp
        )


@pytest.mark.slow
def test_false_verdicts_are_as_rare_as_said():
    """Of 1,500 suites of 7 variants that differ by nothing, at most 5% hold any 'helps' or 'hurts' (and 4 errors)."""
    suites = _suites(1500, [0.0] * 7, 10, np.random.default_rng(1))
    wrong = np.mean([any(v.verdict in {"helps", "hurts"} for v in suite) for suite in _verdicts(suites, (10,))])
    assert wrong <= ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / 1500)


@pytest.mark.slow
def test_equivalence_is_as_rarely_false_as_said():
    """Of 4,000 variants that differ by just what matters, at most 5% come out equivalent (and 4 errors)."""
    suites = _suites(4000, [0.1], 10, np.random.default_rng(2))
    wrong = np.mean([suite[0].verdict == "equivalent" for suite in _verdicts(suites, (10,))])
    assert wrong <= ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / 4000)


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "seeds"), [(0.12, 10), (0.15, 10), (0.09, 14)])
def test_an_effect_is_found_as_often_as_predicted(effect, seeds):
    """Among 3 variants of which one differs, it is found with the power that was predicted, within 5 points."""
    suites = _suites(2000, [effect, 0.0, 0.0], seeds, np.random.default_rng(3))
    found = np.mean([suite[0].verdict == "helps" for suite in _verdicts(suites, (seeds,))])
    assert found == pytest.approx(power(effect, 0.07 * math.sqrt(2), seeds, ALPHA / 3), abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("looks", "variants"), [((6, 9, 12), 1), ((8, 12, 16), 3), ((10, 13), 7)])
def test_looking_often_makes_no_more_false_verdicts(looks, variants):
    """At most 5% of suites without effects (and 4 errors) ever hold a verdict; at 5% at each look more do."""
    count = 600
    error = math.sqrt(ALPHA * (1 - ALPHA) / count)
    suites = _suites(count, [0.0] * variants, looks[-1], np.random.default_rng(4))
    sober = np.mean([any(v.verdict in {"helps", "hurts"} for v in suite) for suite in _verdicts(suites, looks)])
    naive = np.zeros(count, dtype=bool)
    for look in looks:
        naive |= [any(v.p <= ALPHA for v in suite) for suite in _verdicts(suites[:, :, :look], (look,))]
    assert sober <= ALPHA + 4 * error
    assert naive.mean() > sober + error


def test_a_verdict_of_an_earlier_look_stands():
    """What was decided at the first look is decided after the second, with its effect, whatever came in between."""
    early = 0.3 + ZIGZAG / 2
    first, second = (one(each, looks=(10, 20)) for each in (early, [*early, *[-1.0] * 10]))
    assert (first.verdict, second.verdict) == ("helps", "helps")
    assert (second.p, second.effect) == (first.p, first.effect)


@pytest.mark.parametrize(("looks", "comparisons"), [((6, 12), 1), ((8, 16), 5), ((9, 18), 10), ((10, 20, 30, 40), 10)])
def test_the_seeds_that_it_asks_for_are_more_than_there_are(looks, comparisons):
    """Where a look can't tell any variant, the seeds that could are more than those it had."""
    verdict = judge([_differences(str(n), [0.3] * looks[0], looks) for n in range(comparisons)], 0.1)[0]
    assert verdict.verdict == "inconclusive"
    assert int(verdict.sentence.rpartition("; ")[2].removesuffix(" can")) > looks[0]
