"""Runs paired by seed: which differences there are, and which are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mnist_bench.analysis.statistics import overall_p

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mnist_bench.tracking.reader import Suite

__all__ = ["FEWEST", "Differences", "accuracies", "differences_from", "differences_of", "planned_pairs"]

FEWEST = 2  # pairs that have a spread


@dataclass(frozen=True)
class Differences:
    """By how much a variant's test accuracy differs from another's, in percentage points, pair by pair."""

    variant: str
    by_pair: Mapping[int, float]  # in the order of the pairs
    missing: tuple[int, ...]  # pairs that are planned, and of which a run isn't finished

    @property
    def planned(self) -> int:
        """How many pairs there are to be."""
        return len(self.by_pair) + len(self.missing)

    def within(self, pairs: int) -> np.ndarray:
        """The differences of the first `pairs` pairs, as far as they are there, (n,)."""
        return np.array([figure for pair, figure in self.by_pair.items() if pair < pairs])

    def look(self, looks: Sequence[int]) -> int:
        """At which of the looks, by number from 0, its plan has arrived; the first at least."""
        return max(sum(self.planned >= pairs for pairs in looks), 1) - 1

    def p_over_looks(self, test: Callable[[np.ndarray], float], looks: Sequence[int]) -> float:
        """A test's p, after all looks so far: the least that any of them comes to; 1 below two pairs."""
        samples = [self.within(pairs) for pairs in looks[: self.look(looks) + 1]]
        return min(
            [overall_p(test(sample), looks, look) for look, sample in enumerate(samples) if len(sample) >= FEWEST],
            default=1.0,
        )


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


def differences_from(suite: Suite, baseline: str) -> list[Differences]:
    """How each other variant differs from `baseline`, over the pairs that both are planned for."""
    others = [variant for variant in suite.variants["variant"] if variant != baseline]
    return differences_of(suite, [(variant, baseline) for variant in others])


def differences_of(suite: Suite, variants: Iterable[tuple[str, str]]) -> list[Differences]:
    """How the first of two variants differs from the second, over the pairs that both are planned for."""
    figures, planned = accuracies(suite), planned_pairs(suite)
    return [_differences(a, figures[a] - figures[b], planned[a] & planned[b]) for a, b in variants]


def _differences(variant: str, by_pair: pd.Series[float], planned: set[int]) -> Differences:
    there = by_pair.dropna()
    known = {int(pair): float(figure) for pair, figure in there.items() if pair in planned}
    return Differences(variant, known, tuple(sorted(planned - known.keys())))
