"""Claims, judged by what was run: *reproduced*, *contradicted*, *inconclusive*, or *not run yet*.

The rules. A claim's figure is taken seed by seed: a test accuracy, or the difference between two variants, paired by
seed, in test accuracy or in epochs. Its mean has a 95% interval by Student's t. *reproduced*: the interval lies wholly
where the claim puts the figure. *contradicted*: it lies wholly elsewhere. *inconclusive* otherwise, and where there is
no interval: with one seed, or a few that are all alike.

Not by flipping signs, as a suite's verdicts are: three seeds, all that the longest of these suites has, can't get below
p = 0.25 by that. Each claim is judged by itself: one interval in twenty misses by chance. The interval holds the noise
of training; that of the test images, which are the publications' own, is not in question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mnist_bench.analysis.curves import epoch_of_least, epoch_that_reaches
from mnist_bench.analysis.pairing import DIGITS, FEWEST, FEWEST_JUDGED, finished_runs, judging_looks, planned_pairs
from mnist_bench.analysis.statistics import Interval, mean_interval
from mnist_bench.analysis.words import signed
from mnist_bench.claims import AtLeast, Below, Better, BetterBy, Claim, Figure, Overfits, Slower

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from mnist_bench.tracking.reader import Suite

    # The curves of these runs, by run id, of this metric: a figure an epoch.
    CurveReader = Callable[[Sequence[str], str], Mapping[str, Sequence[float]]]

__all__ = ["CONTRADICTED", "INCONCLUSIVE", "NOT_RUN", "REPRODUCED", "Judgement", "judge", "not_run"]

REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_RUN = "reproduced", "contradicted", "inconclusive", "not run yet"


@dataclass(frozen=True)
class Judgement:
    """What the runs say of a claim."""

    claim: Claim
    verdict: str
    evidence: str  # in words, with direction and size
    found: Interval | None = None  # in the claim's unit: percent, percentage points or epochs; None without any seed
    planned: int = 0  # seeds
    command: str | None = None  # that would run what isn't run yet

    @property
    def why(self) -> str:
        """Why it may be that the runs contradict the claim; empty where they don't."""
        return self.claim.why if self.verdict == CONTRADICTED else ""


@dataclass(frozen=True)
class _Finding:
    """A claim's figure over the seeds, where it lies, and how that is put into words."""

    interval: Interval
    holds: bool  # it lies wholly where the claim puts it
    fails: bool  # wholly elsewhere
    figure: str
    beside: str  # what it is to be held against
    so: dict[str, str]  # what a verdict means here
    note: str = ""

    @property
    def vague(self) -> str:
        """Why so few runs have no interval to judge by; empty if they have one."""
        if self.interval.n < FEWEST:
            return "one run has no interval"
        alike = self.interval.n < FEWEST_JUDGED and self.interval.low == self.interval.high
        return "so few runs, all alike, have no interval" if alike else ""

    @property
    def verdict(self) -> str:
        if self.vague:
            return INCONCLUSIVE
        return REPRODUCED if self.holds else CONTRADICTED if self.fails else INCONCLUSIVE

    def evidence(self, planned: int) -> str:
        n = self.interval.n
        over = f"{n} of {planned} planned seeds" if n < planned else f"{n} {'seed' if n == 1 else 'seeds'}"
        return f"{self.figure} over {over}{self.beside}: {self.vague or self.so[self.verdict]}.{self.note}"


def not_run(claim: Claim, dataset: str, evidence: str | None = None) -> Judgement:
    """The judgement on a claim that nothing can be said of yet; without `evidence`, nothing of its suite was run."""
    only = "".join(f" --only {variant}" for variant in dict.fromkeys(("baseline", *claim.variants)))
    command = f"mnist-bench run --suite {claim.suite} --dataset {dataset}{only}"
    evidence = evidence or f"Nothing of suite {claim.suite} is recorded on {dataset}."
    return Judgement(claim, NOT_RUN, evidence, command=command)


def judge(claim: Claim, suite: Suite, read_curves: CurveReader) -> Judgement:
    """Judge a claim by the runs of its suite; `read_curves` is called where it is about their curves."""
    finished = [finished_runs(suite, variant) for variant in claim.variants]
    for variant, runs in zip(claim.variants, finished, strict=True):
        if runs.empty:
            failed = (suite.runs["variant"] == variant).sum()
            tried = f"; {failed} failed" if failed else ""
            return not_run(claim, suite.dataset, f"No run of {variant} has finished{tried}.")
    counting = _counting_pairs(suite, claim.variants)
    pairs = sorted(counting.intersection(*(set(runs.index) for runs in finished)))
    planned = len(counting)
    if not pairs:
        evidence = f"No seed has finished in both {' and '.join(claim.variants)}."
        return Judgement(claim, INCONCLUSIVE, evidence, planned=planned)
    found = _find(claim, [runs.loc[pairs] for runs in finished], suite.smallest_effect_pp, read_curves)
    return Judgement(claim, found.verdict, found.evidence(planned), found.interval, planned)


def _counting_pairs(suite: Suite, variants: Sequence[str]) -> set[int]:
    """The planned pairs of the first look: seeds that were added after it were added because of what it showed."""
    looks = suite.variants.loc[suite.variants["variant"].isin(variants), "looks"]
    first = min(judging_looks(each)[0] for each in looks)
    planned = planned_pairs(suite)
    return {pair for pair in set.intersection(*(planned[variant] for variant in variants)) if pair < first}


def _find(claim: Claim, runs: Sequence[pd.DataFrame], smallest_effect_pp: float, read_curves: CurveReader) -> _Finding:
    """What the `runs` say, of each of the claim's variants over the same pairs."""
    if isinstance(claim, Slower):
        return _slower(claim, *(_curves(each, "val_accuracy", read_curves) for each in runs))
    if isinstance(claim, Overfits):
        return _overfits(claim, _curves(runs[0], "val_loss", read_curves))
    accuracies = [100 * each["test_accuracy"] for each in runs]  # percent, by pair
    if isinstance(claim, Figure):
        return _figure(claim, mean_interval(accuracies[0]))
    if isinstance(claim, AtLeast | Below):
        return _bound(claim, mean_interval(accuracies[0]))
    effect = mean_interval((accuracies[0] - accuracies[1]).round(DIGITS))
    return _better_by(claim, effect) if isinstance(claim, BetterBy) else _better(claim, effect, smallest_effect_pp)


def _figure(claim: Figure, accuracy: Interval) -> _Finding:
    return _near(accuracy, claim.accuracy_percent, claim.tolerance_pp, "pp", _percent(accuracy))


def _bound(claim: AtLeast | Below, accuracy: Interval) -> _Finding:
    bound = claim.at_least_percent if isinstance(claim, AtLeast) else claim.below_percent
    reached, missed = accuracy.low >= bound, accuracy.high < bound
    holds, fails = (reached, missed) if isinstance(claim, AtLeast) else (missed, reached)
    sides = {True: "at or above it", False: "below it"}
    return _Finding(
        interval=accuracy,
        holds=holds,
        fails=fails,
        figure=_percent(accuracy),
        beside=f", {signed(accuracy.mean - bound)} pp from {bound:g}%",
        so={REPRODUCED: sides[reached], CONTRADICTED: sides[reached], INCONCLUSIVE: "it may be on either side"},
    )


def _better(claim: Better, effect: Interval, smallest_effect_pp: float) -> _Finding:
    matters = f"the {smallest_effect_pp:g} pp that matter"
    small = effect.within(smallest_effect_pp)
    but = f", but by less than {matters}" if small else ""
    return _Finding(
        interval=effect,
        holds=effect.low > 0,
        fails=effect.high <= 0,
        figure=f"{claim.better} against {claim.worse}: {_signed(effect, 'pp')}",
        beside="",
        so={
            REPRODUCED: f"better{but}",
            CONTRADICTED: f"the other way round{but}" if effect.mean < 0 else "no gain",
            INCONCLUSIVE: f"any gain is below {matters}"
            if effect.high < smallest_effect_pp
            else f"it may be no gain, or one of {matters}",
        },
    )


def _better_by(claim: BetterBy, effect: Interval) -> _Finding:
    figure = f"{claim.better} against {claim.worse}: {_signed(effect, 'pp')}"
    return _near(effect, claim.by_pp, claim.tolerance_pp, "pp", figure)


def _slower(claim: Slower, slower: list[Sequence[float]], faster: list[Sequence[float]]) -> _Finding:
    """A run that never reaches the accuracy would need more epochs than it is counted with.

    So it can't show that its own variant is the faster one.
    """
    goal = claim.reach_percent / 100
    lag = mean_interval([_epochs_to(goal, a) - _epochs_to(goal, b) for a, b in zip(slower, faster, strict=True)])
    never = [sum(epoch_that_reaches(curve, goal) is None for curve in curves) for curves in (slower, faster)]
    told = zip(never, claim.variants, strict=True)
    names = " and ".join(f"{count} of {variant}" for count, variant in told if count)
    is_open = lag.low > 0 or lag.high <= 0
    return _Finding(
        interval=lag,
        holds=lag.low > 0 and not never[1],
        fails=lag.high <= 0 and not never[0],
        figure=f"{claim.slower} against {claim.faster}: {_signed(lag, 'epochs')}",
        beside=f" to {claim.reach_percent:g}% of validation accuracy",
        so={
            REPRODUCED: "slower",
            CONTRADICTED: "the other way round" if lag.high < 0 else "no slower",
            INCONCLUSIVE: "runs that never reach it leave it open" if is_open else "either may be the slower",
        },
        note=f" Counted as one epoch after their last, since they never reach it: {names}." if names else "",
    )


def _epochs_to(goal: float, curve: Sequence[float]) -> int:
    return epoch_that_reaches(curve, goal) or len(curve) + 1


def _overfits(claim: Overfits, curves: list[Sequence[float]]) -> _Finding:
    """A run whose loss is least in its last epoch has not overfitted yet: its least may come later."""
    epochs = [epoch_of_least(curve) for curve in curves]
    least = mean_interval(epochs)
    falling = sum(epoch == len(curve) for epoch, curve in zip(epochs, curves, strict=True))
    bottom, end = (
        mean_interval([min(curve) for curve in curves]).mean,
        mean_interval([curve[-1] for curve in curves]).mean,
    )
    figure = f"Least validation loss at epoch {_plain(least)}"
    near = _near(least, claim.epoch, claim.tolerance_epochs, "epochs", figure)
    if not falling:
        return replace(near, note=f" It rises from there in every run, from {bottom:.4f} to {end:.4f} on average.")
    return replace(
        near,
        holds=False,
        fails=near.fails and least.low > claim.epoch,
        so=near.so | {INCONCLUSIVE: "runs that are too short leave it open"},
        note=f" In {falling} of {least.n} runs it is least in the last epoch: no overfitting there.",
    )


def _near(interval: Interval, centre: float, tolerance: float, unit: str, figure: str) -> _Finding:
    """Whether a figure is the published one, give or take the tolerance."""
    low, high = centre - tolerance, centre + tolerance
    allowed = f"the tolerance of {tolerance:g} {unit}"
    return _Finding(
        interval=interval,
        holds=low <= interval.low and interval.high <= high,
        fails=interval.high < low or interval.low > high,
        figure=figure,
        beside=f", {signed(interval.mean - centre)} {unit} from the published {centre:g}",
        so={
            REPRODUCED: f"within {allowed}",
            CONTRADICTED: f"{'higher' if interval.mean > centre else 'lower'} than {allowed} allows",
            INCONCLUSIVE: f"partly outside {allowed}",
        },
    )


def _curves(runs: pd.DataFrame, metric: str, read_curves: CurveReader) -> list[Sequence[float]]:
    """The runs' curves, in the order of the runs."""
    curves = read_curves([*runs["run_id"]], metric)
    return [curves[run_id] for run_id in runs["run_id"]]


def _percent(interval: Interval) -> str:
    return _with_bounds(interval, "{:.2f}".format, "%")


def _plain(interval: Interval) -> str:
    return _with_bounds(interval, "{:.1f}".format, "")


def _signed(interval: Interval, unit: str) -> str:
    return _with_bounds(interval, signed, f" {unit}")


def _with_bounds(interval: Interval, form: Callable[[float], str], unit: str) -> str:
    bounds = f" [{form(interval.low)}, {form(interval.high)}]" if interval.n >= FEWEST else ""
    return f"{form(interval.mean)}{unit}{bounds}"
