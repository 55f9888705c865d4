"""What a number of seeds can and can't show, before they are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.analysis.pairing import FEWEST, FEWEST_JUDGED, to_baseline
from mnist_bench.analysis.statistics import detectable_effect, least_p, seeds_for_equivalence, seeds_needed
from mnist_bench.analysis.verdicts import ALPHA, least_seeds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mnist_bench.tracking.reader import Suite

__all__ = ["GUESS_PP", "Outlook", "Spread", "outlook", "spreads_seen", "warnings"]

GUESS_PP = 0.4  # about the median over the seven variants of `ablations` on all of MNIST, 10 epochs, 10 seeds: 0.37


@dataclass(frozen=True)
class Spread:
    """How much a variant's paired differences scatter, in percentage points, and how that is known."""

    sd_pp: float
    source: str


@dataclass(frozen=True)
class Outlook:
    """What the seeds can show of one variant against the baseline, in 4 of 5 cases."""

    variant: str
    spread: Spread
    detectable_pp: float  # the smallest effect that comes out as helps or hurts; infinite if none can
    seeds_for_smallest: int | None  # that the smallest effect that matters would take; None if more than a million
    seeds_for_equivalence: int | None  # that a variant takes which differs by nothing


def spreads_seen(suite: Suite) -> dict[str, Spread]:
    """The deviation of each variant's paired differences to the baseline, where two pairs or more are recorded.

    Pairs that all differ by the same, as two may, show no spread.
    """
    return {
        each.variant: Spread(float(each.sample.std(ddof=1)), f"{len(each.by_pair)} pairs")
        for each in to_baseline(suite)
        if len(each.by_pair) >= FEWEST and np.ptp(each.sample) > 0
    }


def outlook(
    variants: Sequence[str], seeds: int, smallest_effect_pp: float, seen: Mapping[str, Spread]
) -> list[Outlook]:
    """What `seeds` seeds can show of each of a suite's variants, the baseline left out.

    A variant whose spread was not seen is taken to scatter as the others do, or else as is guessed.
    """
    known = [spread.sd_pp for spread in seen.values()]
    otherwise = Spread(float(np.median(known)), "as the others") if known else Spread(GUESS_PP, "a guess")
    return [_outlook(name, seen.get(name, otherwise), seeds, len(variants), smallest_effect_pp) for name in variants]


def _outlook(variant: str, spread: Spread, seeds: int, comparisons: int, smallest_effect_pp: float) -> Outlook:
    alpha = ALPHA / comparisons  # the first step of Holm's: what the strongest effect has to pass
    return Outlook(
        variant,
        spread,
        detectable_effect(spread.sd_pp, seeds, alpha),
        _judged(seeds_needed(smallest_effect_pp, spread.sd_pp, alpha)),
        _judged(seeds_for_equivalence(0.0, spread.sd_pp, smallest_effect_pp, ALPHA)),
    )


def _judged(seeds: int | None) -> int | None:
    """As many at least as there is any verdict with."""
    return None if seeds is None else max(seeds, FEWEST_JUDGED)


def warnings(outlooks: Sequence[Outlook], seeds: int, smallest_effect_pp: float) -> Iterator[str]:
    """Where no verdict is reachable, and which effects would stay in the dark."""
    comparisons = len(outlooks)
    if not comparisons:
        yield "there is nothing to compare with the baseline"
    elif least_p(seeds) > ALPHA / comparisons:
        yield (
            f"no 'helps' and no 'hurts' can come out: with {seeds} seeds p is never below {least_p(seeds):.2g}, and "
            f"with {comparisons} to be told from the baseline it has to reach {ALPHA / comparisons:.2g}; "
            f"{least_seeds(ALPHA / comparisons) or 'no number of'} seeds can"
        )
    elif blind := [each for each in outlooks if each.detectable_pp > smallest_effect_pp]:
        worst = max(blind, key=lambda each: each.detectable_pp)
        yield (
            f"{len(blind)} of {comparisons} comparisons may miss an effect of {smallest_effect_pp:g} pp, the smallest "
            f"that matters ({worst.variant} one of {worst.detectable_pp:.2f} pp): more --seeds, or --until-decided"
        )
