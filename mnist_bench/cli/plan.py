"""`mnist-bench plan`: what a suite costs, and what its seeds can show, before anything is trained."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_bench import data, suites
from mnist_bench.analysis.outlook import Outlook, Spread, outlook, spreads_seen, warnings
from mnist_bench.cli.options import (
    FiniteRange,
    data_dir_option,
    dataset_option,
    epochs_option,
    seeds_option,
    suite_option,
    tracking_uri_option,
    workers_option,
)
from mnist_bench.cli.plan_view import show_plan
from mnist_bench.execution.plan import make_plan
from mnist_bench.tracking import open_if_there
from mnist_bench.tracking.reader import read_suite, suites_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mnist_bench.execution.plan import Plan
    from mnist_bench.tracking import Store

__all__ = ["command"]


@click.command("plan")
@suite_option
@dataset_option
@data_dir_option
@seeds_option
@epochs_option
@workers_option
@click.option(
    "--spread",
    metavar="PP",
    type=FiniteRange(min=0, min_open=True),
    help="The deviation of paired differences, in percentage points, instead of what was seen.",
)
@tracking_uri_option
def command(  # noqa: PLR0913 - one parameter an option
    *,
    suite: str,
    dataset: str,
    data_dir: Path | None,
    seeds: int | None,
    epochs: int | None,
    workers: int | None,
    spread: float | None,
    tracking_uri: str | None,
) -> None:
    """Say before any training what a suite costs, and what its seeds can and can't show."""
    wanted = suites.load(suite, epochs=epochs)
    seeds = seeds or wanted.seeds
    plan = make_plan(wanted, data.load(dataset, data_dir), seeds=seeds)
    if plan.dataset.note:
        click.echo(plan.dataset.note, err=True)
    store = open_if_there(tracking_uri)
    show_plan(plan, store, workers)
    click.echo(click.wrap_text(f"The suite's file says of its cost: {wanted.cost}"))
    variants = [variant.name for variant in wanted.variants if variant.name != suites.BASELINE]
    seen = _seen(plan, store) if spread is None else dict.fromkeys(variants, Spread(spread, "--spread"))
    outlooks = outlook(variants, seeds, wanted.smallest_effect_pp, seen)
    console = Console(highlight=False)
    console.print(f"\nWhat {seeds} seeds can show, in 4 of 5 cases (pp: percentage points of test accuracy):")
    console.print(_table(outlooks, wanted.smallest_effect_pp))
    for warning in warnings(outlooks, seeds, wanted.smallest_effect_pp):
        console.print(f"Warning: {warning}.", markup=False)


def _seen(plan: Plan, store: Store | None) -> dict[str, Spread]:
    """The spreads that the suite's last recorded runs show; none where nothing is recorded of it."""
    if store is None or plan.suite.name not in suites_on(store, plan.dataset.name):
        return {}
    recorded = read_suite(store, plan.suite.name, plan.dataset.name)
    seen = spreads_seen(recorded)
    if recorded.edition != plan.edition:  # other recipes, data or code: the best guess that there is
        return {name: replace(spread, source=f"{spread.source}, changed since") for name, spread in seen.items()}
    return seen


def _table(outlooks: Sequence[Outlook], smallest_effect_pp: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("variant", overflow="fold")
    for header in (
        "spread,\npp",
        "known\nfrom",
        "shows\nfrom, pp",
        f"{smallest_effect_pp:g} pp\nneeds",
        "equivalence\nneeds",
    ):
        table.add_column(header, justify="right")
    for each in outlooks:
        needed = [
            "over 1,000,000" if seeds is None else f"{seeds:,}"
            for seeds in (each.seeds_for_smallest, each.seeds_for_equivalence)
        ]
        shows = "nothing" if math.isinf(each.detectable_pp) else f"{each.detectable_pp:.2f}"
        table.add_row(each.variant, f"{each.spread.sd_pp:.3f}", each.spread.source, shows, *needed)
    return table
