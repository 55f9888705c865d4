"""Runs paired by seed: which differences there are, and which are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mnist_bench.analysis.statistics import overall_p

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mnist_bench.tracking.reader import Suite

__all__ = [
    "DIGITS",
    "FEWEST",
    "FEWEST_JUDGED",
    "Differences",
    "accuracies",
    "differences_of",
    "finished_runs",
    "judging_looks",
    "looks_had",
    "planned_pairs",
    "to_baseline",
]

DIGITS = 9  # of a difference: accuracies are shares of images, and what differs beyond is how binary numbers round
FEWEST = 2  # pairs that have a spread
FEWEST_JUDGED = 6  # the first number with which flipping signs can get below 5%; the spread of fewer is too often nil


@dataclass(frozen=True)
class Differences:
    """By how much a variant's test accuracy differs from another's, in percentage points, pair by pair."""

    variant: str
    by_pair: Mapping[int, float]  # in the order of the pairs
    missing: tuple[int, ...]  # pairs that are planned, and of which a run isn't finished
    looks: tuple[int, ...]  # the numbers of pairs at which one looks at them, increasing

    @property
    def sample(self) -> np.ndarray:
        """All differences that there are, (n,)."""
        return np.array(list(self.by_pair.values()))

    @property
    def judging_looks(self) -> tuple[int, ...]:
        """The looks at which something can be seen; the last in any case."""
        return judging_looks(self.looks)

    @property
    def look(self) -> int:
        """At which of the judging looks, by number from 0, its plan has arrived; the first at least."""
        planned = len(self.by_pair) + len(self.missing)
        return max(sum(planned >= pairs for pairs in self.judging_looks), 1) - 1

    def within(self, look: int) -> np.ndarray:
        """The differences that count at a look: those of its pairs that are there, (n,)."""
        end = self.judging_looks[look]
        return np.array([figure for pair, figure in self.by_pair.items() if pair < end])

    def p_over_looks(self, test: Callable[[np.ndarray], float]) -> tuple[float, int]:
        """A test's p after all looks so far, the least that any of them comes to, and that look.

        1 below six pairs, and the last look.
        """
        samples = [self.within(look) for look in range(self.look + 1)]
        reached = [
            (overall_p(test(sample), self.judging_looks, look), look)
            for look, sample in enumerate(samples)
            if len(sample) >= FEWEST_JUDGED
        ]
        return min(reached, default=(1.0, self.look))


def judging_looks(looks: tuple[int, ...]) -> tuple[int, ...]:
    """The looks at which something can be seen; the last in any case."""
    return tuple(look for look in looks if look >= FEWEST_JUDGED) or looks[-1:]


def looks_had(variants: pd.DataFrame) -> list[int]:
    """The looks, of those that are planned for some of a suite's variants, to which their seeds have come."""
    rows = variants.to_dict("records")
    return sorted({look for row in rows for look in judging_looks(row["looks"]) if look <= len(row["seeds_planned"])})


def finished_runs(suite: Suite, variant: str) -> pd.DataFrame:
    """The finished runs of a variant, by pair."""
    runs = suite.runs[(suite.runs["variant"] == variant) & suite.runs["finished"].astype(bool)]
    return runs.set_index("pair")


def accuracies(suite: Suite) -> pd.DataFrame:
    """Test accuracies in percent: a row a pair, a column a variant, NaN where no run is finished."""
    finished = suite.runs[suite.runs["finished"].astype(bool)]
    if finished.empty:
        return pd.DataFrame(columns=suite.variants["variant"], dtype=float)
    table = finished.pivot_table(index="pair", columns="variant", values="test_accuracy") * 100
    return table.reindex(columns=suite.variants["variant"]).sort_index()


def planned_pairs(suite: Suite) -> dict[str, set[int]]:
    """The pairs that each variant is planned for."""
    rows = suite.variants.to_dict("records")
    return {row["variant"]: {seed - row["seed_offset"] for seed in row["seeds_planned"]} for row in rows}


def to_baseline(suite: Suite) -> list[Differences]:
    """How each variant differs from the suite's baseline; none where that was never planned."""
    others = suite.variants.loc[suite.variants["role"] != "baseline", "variant"]
    baseline = suite.variants.loc[suite.variants["role"] == "baseline", "variant"]
    return differences_of(suite, [(other, name) for name in baseline for other in others])


def differences_of(suite: Suite, variants: Iterable[tuple[str, str]]) -> list[Differences]:
    """How the first of two variants differs from the second, over the pairs that both are planned for.

    They were looked at as often as the one that was looked at more often.
    """
    figures, planned = accuracies(suite), planned_pairs(suite)
    looks = dict(zip(suite.variants["variant"], suite.variants["looks"], strict=True))
    return [
        _differences(a, figures[a] - figures[b], planned[a] & planned[b], max(looks[a], looks[b], key=len))
        for a, b in variants
    ]


def _differences(variant: str, by_pair: pd.Series[float], planned: set[int], looks: tuple[int, ...]) -> Differences:
    there = by_pair.dropna().round(DIGITS)
    known = {pair: figure for pair, figure in zip(there.index.tolist(), there.tolist(), strict=True) if pair in planned}
    return Differences(variant, known, tuple(sorted(planned - known.keys())), looks)
