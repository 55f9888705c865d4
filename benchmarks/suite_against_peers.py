"""How much faster a suite's runs are than what a person would otherwise use, on the same work in the same run.

Each side trains the same models with the same seeds, epochs, minibatches, training and validation images, validation
each epoch, the test part once, and every epoch's figures in an MLflow store on SQLite; each in a process of its own, in
turn. `peers/` has the others, a file each. Precision is the recipe's on our side, and float32 on theirs, as Keras has
it.

`seconds` begin at the first run: imports, reading the data, opening the store and starting the workers are left out on
every side, building and tracing the models is in. `all` is the whole process, start-up and all. (A process a run has
its start-up in both.) Times are medians over `--repeats`; ratios are medians of the ratios within each repeat, since a
shared machine's speed swings. Each repeat has `--seeds` seeds of its own, so that more of them make more pairs, too.

A row is void unless two one-sided tests over the pairs of runs (variant and seed) put the middle of the differences of
test accuracy within 0.1 percentage points, each at 5%: what trains to something else is no comparison. The tests are
Wilcoxon's, by ranks within each variant, summed over the variants: the accuracies of one of the ablations (sigmoid) lie
twenty points apart from seed to seed on every side, and would be all that a t test sees, and a third of what a test
sees that ranks all pairs together. Of fewer than five pairs no test of ranks says anything at 5%.

Usage: python benchmarks/suite_against_peers.py [--dataset mnist] [--epochs 5] [--seeds 3] [--repeats 5]
           [--group dense] [--only VARIANT] [--peer keras_fit]
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import permutation_test
from work import GROUPS, Told, answer, heading, name_of, new_store, plan_of, train_and_record

from mnist_bench.execution.engine import Engine
from mnist_bench.execution.local import load_ahead

if TYPE_CHECKING:
    from mnist_bench.execution.plan import Plan

OURS = "mnist-bench"
PEERS = ("keras_fit", "keras_fit_tuned", "process_a_run")
MARGIN_PP = 0.1
ALPHA = 0.05
ROW = "{:<14}{:<17}{:>5}{:>10}{:>10}{:>11}{:>14}{:>11}   {}"


def ours(plan: Plan) -> Told:
    """Our side, from the first run's dispatch to the last one's recording."""
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(folder)  # before there are workers, as `mnist-bench run` does
        with Engine(plan.dataset) as engine:
            trained = train_and_record(plan, engine, store)
    accuracies = {name_of(result.spec): 100 * result.metrics["test_accuracy"] for result in trained.results}
    share = trained.recording_seconds / trained.seconds
    return Told(trained.seconds, accuracies, facts=[f"recording: {share:.1%} of the seconds"])


@dataclass(frozen=True)
class Measured:
    """One side of one group in one repeat."""

    told: Told
    all_seconds: float  # of its process, but for what isn't counted


def measured(side: str, group: str, repeat: int, arguments: argparse.Namespace) -> Measured:
    """Run a side in a process of its own, so that none sees what another has loaded."""
    command = [sys.executable, __file__, "--side", side, "--group", group, "--repeat", str(repeat)]
    for name in ("dataset", "epochs", "seeds"):
        command += [f"--{name}", str(getattr(arguments, name))]
    for variant in arguments.only:
        command += ["--only", variant]
    began = time.perf_counter()
    told = Told(**answer(command))
    return Measured(told, time.perf_counter() - began - told.uncounted_seconds)


def show(group: str, sides: dict[str, list[Measured]]) -> None:
    """Print a group's rows, and what is to be said of them."""
    notes = []
    for side, repeats in sides.items():
        seconds = [each.told.seconds for each in repeats]
        whole = [each.all_seconds for each in repeats]
        accuracies = all_accuracies(repeats)
        ratio, ratio_all, verdict = "", "", ""
        if side != OURS:
            base = sides[OURS]
            differences = pd.Series({name: accuracies[name] - our for name, our in all_accuracies(base).items()})
            verdict, fault = judged(differences)
            notes += [f"void, {side}: {fault}"] if fault else []
            notes.append(f"{side}: accuracy less ours by variant, in pp: {by_variant(differences)}")
            void = " void" if fault else ""
            ratio = times(seconds, [each.told.seconds for each in base]) + void
            ratio_all = times(whole, [each.all_seconds for each in base]) + void
        notes += [f"{side}: {fact}" for fact in repeats[-1].told.facts]
        figures = (f"{statistics.median(seconds):.1f} s", f"{statistics.median(whole):.1f} s")
        mean = f"{statistics.mean(accuracies.values()):.2f}%"
        print(ROW.format(group, side, len(repeats[0].told.accuracies), *figures, mean, ratio, ratio_all, verdict))
    for note in notes:
        print(textwrap.fill(note, 118, initial_indent="  ", subsequent_indent="    "), flush=True)


def times(theirs: list[float], base: list[float]) -> str:
    """The median of the ratios within each repeat."""
    return f"{statistics.median(their / our for their, our in zip(theirs, base, strict=True)):.1f}x"


def all_accuracies(repeats: list[Measured]) -> dict[str, float]:
    """Of all runs: each repeat has others."""
    return {name: accuracy for each in repeats for name, accuracy in each.told.accuracies.items()}


def judged(differences: pd.Series) -> tuple[str, str]:
    """What the two one-sided tests say of the pairs' differences in pp, and why the row is void if it is."""
    p = max(p_above_zero(MARGIN_PP + differences), p_above_zero(MARGIN_PP - differences))
    told = f"{differences.median():+.2f} pp, p = {p:.2g}"
    if p <= ALPHA:
        return told, ""
    return told, f"accuracy is not shown equal over {len(differences)} pairs (p = {p:.2g}): more --repeats may do it"


def p_above_zero(differences: pd.Series) -> float:
    """How likely such ranks are if the differences lie about 0 or below: by flipping signs."""
    if len(differences) == 1:  # says nothing, and SciPy refuses it
        return 1.0
    ranks = differences.abs().groupby(variants_of(differences)).rank()
    signed = np.sign(differences.to_numpy()) * ranks.to_numpy()
    return float(permutation_test((signed,), np.sum, permutation_type="samples", alternative="greater", rng=0).pvalue)


def by_variant(differences: pd.Series) -> str:
    """The median of each variant's pairs."""
    medians = differences.groupby(variants_of(differences)).median()
    return ", ".join(f"{variant} {median:+.2f}" for variant, median in medians.items())


def variants_of(by_name: pd.Series) -> pd.Index:
    """The variant of each run, where each is called as `name_of` has it."""
    return by_name.index.str.rpartition(", ").get_level_values(0)


def main() -> None:
    """Print each group's sides, and how many times as long as ours each takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--group", choices=GROUPS, help="one group only")
    parser.add_argument("--only", action="append", default=[], metavar="VARIANT", help="of its variants")
    parser.add_argument("--peer", action="append", choices=PEERS, help="one peer only; may be given several times")
    parser.add_argument("--side", choices=[OURS, *PEERS], help=argparse.SUPPRESS)
    parser.add_argument("--repeat", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only and not arguments.group:
        parser.error("--only VARIANT: say of which --group")
    if arguments.side:
        tell(arguments)
        return
    what = f"{arguments.dataset}, {arguments.epochs} epochs, {arguments.seeds} seeds, medians of {arguments.repeats}"
    print(heading(what))
    print(ROW.format("group", "side", "runs", "seconds", "all", "accuracy", "times ours", "all", "accuracy less ours"))
    for group in [arguments.group] if arguments.group else GROUPS:
        sides: dict[str, list[Measured]] = {side: [] for side in (OURS, *(arguments.peer or PEERS))}
        for repeat in range(arguments.repeats):
            for side, repeats in sides.items():
                repeats.append(measured(side, group, repeat, arguments))
                so_far = f"{group}, repeat {repeat + 1}/{arguments.repeats}, {side}: {repeats[-1].told.seconds:.1f} s"
                print(so_far, file=sys.stderr, flush=True)  # the table may take hours
        show(group, sides)


def tell(arguments: argparse.Namespace) -> None:
    """Be one side."""
    if arguments.side == OURS:
        load_ahead()  # as `mnist-bench run` does
    suite, variants = GROUPS[arguments.group]
    only = arguments.only or variants
    first = arguments.repeat * arguments.seeds
    plan = plan_of(suite, arguments.dataset, only=only, epochs=arguments.epochs, seeds=first + arguments.seeds)
    plan = replace(plan, runs=plan.runs[len(plan.runs) * first // (first + arguments.seeds) :])  # seeds are outermost
    side = ours if arguments.side == OURS else importlib.import_module(f"peers.{arguments.side}").run
    side(plan).tell()


if __name__ == "__main__":
    main()
