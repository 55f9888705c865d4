"""Verdicts: whether a variant helps, hurts, makes no difference that matters, or can't be told apart yet.

The rules. The difference of each variant to the baseline, in percentage points of test accuracy, is tested over the
seeds by flipping signs; the p-values are adjusted for the number of variants (Holm). *helps* and *hurts*: the adjusted
p is at most 5%. *equivalent*: two one-sided t tests, each variant by itself, put the difference within the smallest
effect that matters, at 5%. *inconclusive* otherwise, with what so many seeds could have shown. Where one looks several
times, both kinds of p-value are what they come to over all the looks (`statistics.sequential`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.analysis.pairing import FEWEST, Differences, differences_from
from mnist_bench.analysis.statistics import (
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
    from collections.abc import Callable, Iterable, Sequence

    from mnist_bench.tracking.reader import Suite

__all__ = ["ALPHA", "EQUIVALENT", "HELPS", "HURTS", "INCONCLUSIVE", "Verdict", "judge", "least_seeds", "verdicts"]

ALPHA = 0.05  # the rate of false verdicts that is put up with, over a whole suite
HELPS, HURTS, EQUIVALENT, INCONCLUSIVE = "helps", "hurts", "equivalent", "inconclusive"
_COLUMNS = [
    *("variant", "pairs", "missing_pairs", "effect_pp", "effect_low_pp", "effect_high_pp", "p_holm", "p_equivalence"),
    *("detectable_pp", "verdict", "sentence", "if_worst", "if_best"),
]


@dataclass(frozen=True)
class Verdict:
    """What the evidence says of one variant against the baseline; effects in percentage points (pp)."""

    variant: str
    verdict: str
    effect: Interval  # over the pairs, at 95%, or wider where one looks several times
    p: float  # after Holm, and after all looks; NaN below two pairs
    p_equivalence: float  # after all looks; NaN below two pairs
    smallest_effect_pp: float  # what matters
    detectable_pp: float  # the smallest effect that so many pairs find in 4 of 5 cases; infinite if none can be
    comparisons: int  # that the p-values are adjusted for

    @property
    def sentence(self) -> str:
        """The verdict in words, with direction and size."""
        return f"{self.variant}: {self._effect()}, {self.verdict}{self._reason()}"

    def seeds_to_settle(self) -> tuple[int | None, int | None]:
        """The seeds that would show a difference, or equivalence, in 4 of 5 cases if the effect is what was seen.

        None where no number does.
        """
        mean, sd = self.effect.mean, self.effect.sd
        return (
            seeds_needed(abs(mean), sd, ALPHA / self.comparisons),
            seeds_for_equivalence(mean, sd, self.smallest_effect_pp, ALPHA),
        )

    def _effect(self) -> str:
        if self.effect.n < FEWEST:
            return f"{signed(self.effect.mean)} pp" if self.effect.n else "not known"
        return f"{signed(self.effect.mean)} pp [{signed(self.effect.low)}, {signed(self.effect.high)}]"

    def _reason(self) -> str:
        if self.verdict in {HELPS, HURTS}:
            small = max(abs(self.effect.low), abs(self.effect.high)) < self.smallest_effect_pp
            but = f", by less than the {self.smallest_effect_pp:g} pp that matter" if small else ""
            return f"{but} ({p_value(self.p)} after Holm, {self.effect.n} seeds)"
        if self.verdict == EQUIVALENT:
            return f" within ±{self.smallest_effect_pp:g} pp ({p_value(self.p_equivalence)}, {self.effect.n} seeds)"
        if self.effect.n < FEWEST:
            return ": fewer than two seeds have finished beside the baseline's"
        if math.isinf(self.detectable_pp):
            return (
                f": {self.effect.n} seeds can't tell {self.comparisons} variants from the baseline, whatever they "
                f"differ by; {least_seeds(self.comparisons)} can"
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

    Columns: variant, pairs, missing_pairs, effect_pp with effect_low_pp and effect_high_pp, p_holm, p_equivalence,
    detectable_pp (NaN where nothing could be shown), verdict, sentence; where pairs are missing, if_worst and if_best:
    the verdict if they were as bad as the variant's worst, or as good as its best.
    """
    baseline = suite.variants.loc[suite.variants["role"] == "baseline", "variant"]
    differences = differences_from(suite, baseline.iloc[0]) if len(baseline) else []
    judged = worst = best = judge(differences, suite.smallest_effect_pp, suite.looks)
    if any(each.missing for each in differences):
        worst, best = (
            judge([_completed(each, extreme) for each in differences], suite.smallest_effect_pp, suite.looks)
            for extreme in (min, max)
        )
    rows = [
        _row(verdict, len(each.missing)) | ({"if_worst": low.verdict, "if_best": high.verdict} if each.missing else {})
        for each, verdict, low, high in zip(differences, judged, worst, best, strict=True)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def judge(differences: Sequence[Differences], smallest_effect_pp: float, looks: Sequence[int]) -> list[Verdict]:
    """The verdict on each of the variants of one suite, together.

    Args:
        differences: of each variant to the baseline.
        smallest_effect_pp: the smallest effect that matters, in percentage points.
        looks: the numbers of pairs at which one looks, the last being the most that is planned.
    """
    adjusted = holm([each.p_over_looks(sign_flip_p, looks) for each in differences])
    return [
        _verdict(each, p, len(differences), smallest_effect_pp, looks)
        for each, p in zip(differences, adjusted, strict=True)
    ]


def least_seeds(comparisons: int) -> int:
    """The fewest seeds with which the sign-flip test can tell any of so many variants from the baseline."""
    seeds = FEWEST
    while least_p(seeds) > ALPHA / comparisons:
        seeds += 1
    return seeds


def _verdict(each: Differences, p: float, comparisons: int, smallest_effect_pp: float, looks: Sequence[int]) -> Verdict:
    look = each.look(looks)
    effect = mean_interval(each.within(looks[look]), 1 - nominal_levels(looks, ALPHA)[look])
    p_equivalence = each.p_over_looks(lambda sample: equivalence_p(sample, smallest_effect_pp), looks)
    verdict = INCONCLUSIVE
    if p <= ALPHA:
        verdict = HELPS if effect.mean > 0 else HURTS
    elif p_equivalence <= ALPHA:
        verdict = EQUIVALENT
    tested = effect.n >= FEWEST
    level = nominal_levels(looks, ALPHA / comparisons)[look]
    return Verdict(
        variant=each.variant,
        verdict=verdict,
        effect=effect,
        p=p if tested else math.nan,
        p_equivalence=p_equivalence if tested else math.nan,
        smallest_effect_pp=smallest_effect_pp,
        detectable_pp=detectable_effect(effect.sd, effect.n, level) if tested else math.inf,
        comparisons=comparisons,
    )


def _completed(each: Differences, extreme: Callable[[Iterable[float]], float]) -> Differences:
    """A variant's differences with the missing ones put at the least or the greatest that is there."""
    if not each.by_pair:
        return each
    guesses = dict.fromkeys(each.missing, extreme(each.by_pair.values()))
    return Differences(each.variant, dict(sorted({**each.by_pair, **guesses}.items())), ())


def _row(verdict: Verdict, missing: int) -> dict[str, object]:
    effect = verdict.effect
    return {
        "variant": verdict.variant,
        "pairs": effect.n,
        "missing_pairs": missing,
        "effect_pp": effect.mean,
        "effect_low_pp": effect.low,
        "effect_high_pp": effect.high,
        "p_holm": verdict.p,
        "p_equivalence": verdict.p_equivalence,
        "detectable_pp": math.nan if math.isinf(verdict.detectable_pp) else verdict.detectable_pp,
        "verdict": verdict.verdict,
        "sentence": verdict.sentence,
    }
