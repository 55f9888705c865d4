"""Verdicts: whether a variant helps, hurts, makes no difference that matters, or can't be told apart yet.

The rules. The difference of each variant to the baseline, in percentage points of test accuracy, is tested over the
seeds by flipping signs; the p-values are adjusted for the number of variants (Holm). *helps* and *hurts*: the adjusted
p is at most 5%. *equivalent*: two one-sided t tests, each variant by itself, put the difference within the smallest
effect that matters, at 5%. *inconclusive* otherwise, and below six pairs, with what so many seeds could have shown.
Where one looks several times, both kinds of p-value are what they come to over all the looks (`statistics.sequential`),
and direction and interval are those of the look that decided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.analysis.pairing import FEWEST, FEWEST_JUDGED, Differences, to_baseline
from mnist_bench.analysis.statistics import (
    SAMPLED,
    Interval,
    detectable_effect,
    equivalence_p,
    holm,
    least_p,
    mean_interval,
    nominal_levels,
    seeds_for_equivalence,
    seeds_needed,
    sign_flip_p,
)
from mnist_bench.analysis.words import p_value, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_bench.tracking.reader import Suite

__all__ = ["ALPHA", "EQUIVALENT", "HELPS", "HURTS", "INCONCLUSIVE", "Verdict", "judge", "least_seeds", "verdicts"]

ALPHA = 0.05  # the rate of suites with any false helps or hurts that is put up with, and of each false equivalent
HELPS, HURTS, EQUIVALENT, INCONCLUSIVE = "helps", "hurts", "equivalent", "inconclusive"
_COLUMNS = [
    *("variant", "pairs", "missing_pairs", "planned_pairs", "effect_pp", "effect_low_pp", "effect_high_pp"),
    *("p_holm", "p_equivalence", "detectable_pp", "verdict", "sentence", "if_worst", "if_best"),
]


@dataclass(frozen=True)
class Verdict:
    """What the evidence says of one variant against the baseline; effects in percentage points (pp)."""

    variant: str
    verdict: str
    effect: Interval  # over the pairs, at 95%, or wider where one looks several times
    p: float  # after Holm, and after all looks; NaN below six pairs
    p_equivalence: float  # after all looks; NaN below six pairs
    smallest_effect_pp: float  # what matters
    comparisons: int  # that p is adjusted for
    level: float  # that the p of a difference has to reach, before Holm and at this look
    equivalence_level: float  # that the p of equivalence has to reach, at this look

    @property
    def sentence(self) -> str:
        """The verdict in words, with direction and size."""
        return f"{self.variant}: {self._effect()}, {self.verdict}{self._reason()}"

    @property
    def detectable_pp(self) -> float:
        """The smallest effect that so many pairs find in 4 of 5 cases; infinite if none can be found."""
        return detectable_effect(self.effect.sd, self.effect.n, self.level) if self.effect.n >= FEWEST else math.inf

    def seeds_to_settle(self) -> tuple[int | None, int | None]:
        """The seeds that would show a difference, or equivalence, in 4 of 5 cases if the effect is what was seen.

        None where no number does.
        """
        mean, sd = self.effect.mean, self.effect.sd
        return (
            seeds_needed(abs(mean), sd, self.level),
            seeds_for_equivalence(mean, sd, self.smallest_effect_pp, self.equivalence_level),
        )

    def _effect(self) -> str:
        if self.effect.n < FEWEST:
            return f"{signed(self.effect.mean)} pp" if self.effect.n else "not known"
        return f"{signed(self.effect.mean)} pp [{signed(self.effect.low)}, {signed(self.effect.high)}]"

    def _reason(self) -> str:
        if self.verdict in {HELPS, HURTS}:
            small = self.effect.within(self.smallest_effect_pp)
            but = f", by less than the {self.smallest_effect_pp:g} pp that matter" if small else ""
            return f"{but} ({p_value(self.p)} after Holm, {self.effect.n} seeds)"
        if self.verdict == EQUIVALENT:
            return f" within ±{self.smallest_effect_pp:g} pp ({p_value(self.p_equivalence)}, {self.effect.n} seeds)"
        if self.effect.n < FEWEST:
            return ": fewer than two seeds have finished beside the baseline's"
        if math.isinf(self.detectable_pp):
            variants = "a variant" if self.comparisons == 1 else f"{self.comparisons} variants"
            return (
                f": by flipping signs {self.effect.n} seeds can't tell {variants} from the baseline, whatever the "
                f"difference; {least_seeds(self.level) or 'at so early a look no number'} can"
            )
        return f": {self.effect.n} seeds could show {self.detectable_pp:.2f} pp; {self._what_would_settle_it()}"

    def _what_would_settle_it(self) -> str:
        difference, equivalence = self.seeds_to_settle()
        if equivalence is not None and (difference is None or equivalence < difference):
            seeds = max(equivalence, self.effect.n + 1)
            return f"to show that it is within ±{self.smallest_effect_pp:g} pp would need about {seeds:,}"
        if difference is None:
            return "so small an effect needs more than a million"
        return f"{abs(self.effect.mean):.2f} pp would need about {max(difference, self.effect.n + 1):,}"


def verdicts(suite: Suite) -> pd.DataFrame:
    """The verdict on each variant of a suite, a row each; none where the suite's baseline was never planned.

    Columns: variant, pairs (that the verdict took), missing_pairs and planned_pairs (of the whole plan), effect_pp with
    effect_low_pp and effect_high_pp, p_holm, p_equivalence, detectable_pp (NaN where nothing could be shown), verdict,
    sentence; where pairs are missing, if_worst and if_best: the verdict if they were as bad as the variant's worst, or
    as good as its best.
    """
    differences = to_baseline(suite)
    judged = judge(differences, suite.smallest_effect_pp)
    rows = [
        _row(verdict, each) | _if_there(differences, place, suite.smallest_effect_pp)
        for place, (each, verdict) in enumerate(zip(differences, judged, strict=True))
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.astype(dict.fromkeys(("pairs", "missing_pairs", "planned_pairs"), "Int64"))


def judge(differences: Sequence[Differences], smallest_effect_pp: float) -> list[Verdict]:
    """The verdict on each of the variants of one suite, together.

    Args:
        differences: of each variant to the baseline.
        smallest_effect_pp: the smallest effect that matters, in percentage points.
    """
    found = [each.p_over_looks(sign_flip_p) for each in differences]
    adjusted = holm([p for p, _ in found])
    return [
        _verdict(each, float(p), look, len(differences), smallest_effect_pp)
        for each, p, (_, look) in zip(differences, adjusted, found, strict=True)
    ]


def least_seeds(level: float) -> int | None:
    """The fewest seeds with which the sign-flip test can reach a p of `level`; None if its sample of signs can't."""
    if level < 1 / (1 + SAMPLED):
        return None
    seeds = FEWEST_JUDGED
    while least_p(seeds) > level:
        seeds += 1
    return seeds


def _verdict(each: Differences, p: float, look: int, comparisons: int, smallest_effect_pp: float) -> Verdict:
    p_equivalence, equivalent_look = each.p_over_looks(lambda sample: equivalence_p(sample, smallest_effect_pp))
    if p > ALPHA:
        look = equivalent_look if p_equivalence <= ALPHA else each.look
    level = nominal_levels(each.judging_looks, ALPHA)[look]
    effect = mean_interval(each.within(look), 1 - level)
    if p <= ALPHA:
        verdict = HELPS if effect.mean > 0 else HURTS
    else:
        verdict = EQUIVALENT if p_equivalence <= ALPHA else INCONCLUSIVE
    tested = effect.n >= FEWEST_JUDGED
    return Verdict(
        variant=each.variant,
        verdict=verdict,
        effect=effect,
        p=p if tested else math.nan,
        p_equivalence=p_equivalence if tested else math.nan,
        smallest_effect_pp=smallest_effect_pp,
        comparisons=comparisons,
        level=nominal_levels(each.judging_looks, ALPHA / comparisons)[look],
        equivalence_level=level,
    )


def _if_there(differences: Sequence[Differences], place: int, smallest_effect_pp: float) -> dict[str, str]:
    """What a variant's verdict would be if its missing pairs were as bad as its worst, or as good as its best."""
    each = differences[place]
    if not each.missing or not each.by_pair:
        return {}
    verdict = {}
    for name, extreme in (("if_worst", min), ("if_best", max)):
        guesses = dict.fromkeys(each.missing, extreme(each.by_pair.values()))
        whole = replace(each, by_pair=dict(sorted({**each.by_pair, **guesses}.items())), missing=())
        judged = judge([*differences[:place], whole, *differences[place + 1 :]], smallest_effect_pp)
        verdict[name] = judged[place].verdict
    return verdict


def _row(verdict: Verdict, each: Differences) -> dict[str, object]:
    effect = verdict.effect
    return {
        "variant": verdict.variant,
        "pairs": effect.n,
        "missing_pairs": len(each.missing),
        "planned_pairs": len(each.by_pair) + len(each.missing),
        "effect_pp": effect.mean,
        "effect_low_pp": effect.low,
        "effect_high_pp": effect.high,
        "p_holm": verdict.p,
        "p_equivalence": verdict.p_equivalence,
        "detectable_pp": math.nan if math.isinf(verdict.detectable_pp) else verdict.detectable_pp,
        "verdict": verdict.verdict,
        "sentence": verdict.sentence,
    }
