"""Which finished runs of two variants are partners, and which lack one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mnist_bench.analysis.pairing import FEWEST, finished_runs, planned_pairs
from mnist_bench.errors import ComparisonError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_bench.tracking.reader import Suite

__all__ = ["Partners", "best_run", "find_run", "pair_runs"]


@dataclass(frozen=True, eq=False)
class Partners:
    """The finished runs of two variants that have a partner: run ids by pair, the same pairs on both sides.

    `left_out`, a row for each run that a pair lacks: variant, seed, and state ("not planned", "not finished", or
    "failed: " with the cause).
    """

    a: str
    b: str
    runs_a: Mapping[int, str]
    runs_b: Mapping[int, str]
    left_out: pd.DataFrame


def pair_runs(suite: Suite, a: str, b: str) -> Partners:
    """Which finished runs of two variants of a suite pair, and which planned ones are missing for it.

    Raises:
        ComparisonError: the suite has no such variant, one has no finished run, or fewer than two pairs are finished.
    """
    _check_known(suite, a, b)
    finished = {variant: _finished(suite, variant) for variant in (a, b)}
    for variant, runs in finished.items():
        if not runs:
            raise ComparisonError(_none_finished(suite, variant))
    pairs = sorted(finished[a].keys() & finished[b].keys())
    if len(pairs) < FEWEST:
        seeds = "1 finished seed" if pairs else "no finished seed"
        raise ComparisonError(
            f"{a} and {b} have {seeds} in common, and a comparison needs two: "
            f"run the suite with more (--seeds), or compare two runs, as in {a}@SEED"
        )
    runs_a, runs_b = ({pair: finished[variant][pair] for pair in pairs} for variant in (a, b))
    return Partners(a, b, runs_a, runs_b, _left_out(suite, (a, b), set(pairs)))


def find_run(suite: Suite, variant: str, seed: int) -> str:
    """The id of the finished run of a variant with a seed.

    Raises:
        ComparisonError: the suite has no such variant, or no finished run of it with this seed.
    """
    _check_known(suite, variant)
    pair = seed - int(suite.variants.set_index("variant")["seed_offset"][variant])
    finished = _finished(suite, variant)
    if pair not in finished:
        state = _state(suite, variant, pair, planned_pairs(suite)[variant])
        there = ", ".join(str(known - pair + seed) for known in sorted(finished)) or "none"
        raise ComparisonError(
            f"{variant}@{seed} is no finished run of {suite.name} on {suite.dataset} ({state}); finished seeds: {there}"
        )
    return finished[pair]


def best_run(suite: Suite, variant: str) -> str:
    """The id of a variant's best run by validation, the one whose model is kept.

    Raises:
        ComparisonError: the suite has no such variant, or no run of it has finished.
    """
    _check_known(suite, variant)
    best = suite.variants.set_index("variant")["best_run_id"][variant]
    if best is None or pd.isna(best):
        raise ComparisonError(_none_finished(suite, variant))
    return str(best)


def _none_finished(suite: Suite, variant: str) -> str:
    return f"{variant} has no finished run in {suite.name} on {suite.dataset}: run the suite first"


def _check_known(suite: Suite, *variants: str) -> None:
    known = set(suite.variants["variant"])
    for variant in variants:
        if variant not in known:
            raise ComparisonError(
                f"{suite.name} on {suite.dataset} has no variant {variant!r}; {nearest(variant, known)}"
            )


def _finished(suite: Suite, variant: str) -> dict[int, str]:
    """The run ids of a variant's finished runs, by pair."""
    runs = finished_runs(suite, variant)
    return {int(pair): str(run_id) for pair, run_id in zip(runs.index, runs["run_id"], strict=True)}


def _left_out(suite: Suite, variants: tuple[str, str], pairs: set[int]) -> pd.DataFrame:
    """See Partners; `pairs` are those that both variants have finished."""
    planned, offsets = planned_pairs(suite), suite.variants.set_index("variant")["seed_offset"]
    lacking = sorted(set().union(*(planned[variant] for variant in variants)) - pairs)
    rows = [
        (variant, pair + offsets[variant], state)
        for variant in variants
        for pair in lacking
        if (state := _state(suite, variant, pair, planned[variant])) != "finished"
    ]
    return pd.DataFrame(rows, columns=["variant", "seed", "state"])


def _state(suite: Suite, variant: str, pair: int, planned: set[int]) -> str:
    runs = suite.runs[(suite.runs["variant"] == variant) & (suite.runs["pair"] == pair)]
    if runs.empty:
        return "not finished" if pair in planned else "not planned"
    run = runs.iloc[0]
    return "finished" if run["finished"] else f"failed: {run['cause']}"
