"""`mnist-bench claims`: what was published, judged by what was run."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from mnist_bench import claims, suites
from mnist_bench.analysis.claims import judge, not_run
from mnist_bench.cli.options import tracking_uri_option
from mnist_bench.data import DATASETS
from mnist_bench.errors import DataError, nearest
from mnist_bench.reporting.claims import as_json, as_markdown, as_text
from mnist_bench.tracking import open_if_there
from mnist_bench.tracking.curves import read_curves
from mnist_bench.tracking.reader import read_suite, suites_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_bench.analysis.claims import CurveReader, Judgement
    from mnist_bench.claims import Claim
    from mnist_bench.tracking import Store
    from mnist_bench.tracking.reader import Suite

__all__ = ["command", "judgements"]

_NAMES = DATASETS.keys() - {"auto"}  # nothing is recorded as that
_FORMS = {"table": as_text, "markdown": as_markdown, "json": as_json}


@click.command("claims")
@click.option(
    "--dataset", metavar="NAME", default=claims.DATASET, show_default=True, help="By the runs on which dataset."
)
@click.option("--format", "form", type=click.Choice([*_FORMS]), default="table", show_default=True)
@tracking_uri_option
def command(dataset: str, form: str, tracking_uri: str | None) -> None:
    """Judge what was published about these models by what was run."""
    store = open_if_there(tracking_uri)
    if dataset not in _NAMES and not (store and suites_on(store, dataset)):
        raise DataError(f"unknown dataset {dataset!r}, on which nothing is recorded; {nearest(dataset, _NAMES)}")
    click.echo(_FORMS[form](judgements(claims.load(), store, dataset), dataset))


def judgements(published: Mapping[str, Claim], store: Store | None, dataset: str) -> dict[str, Judgement]:
    """The judgement on each claim, by name; where there is no store yet, nothing is run yet."""
    if store is None:
        return {name: not_run(claim, dataset) for name, claim in published.items()}
    there = suites_on(store, dataset) & {claim.suite for claim in published.values()}
    recorded = {name: read_suite(store, name, dataset) for name in sorted(there)}
    epochs = {name: {variant.name: variant.recipe.epochs for variant in suites.load(name).variants} for name in there}
    read = functools.partial(read_curves, store)
    return {
        name: _judgement(claim, recorded[claim.suite], epochs[claim.suite], read)
        if claim.suite in recorded
        else not_run(claim, dataset)
        for name, claim in published.items()
    }


def _judgement(claim: Claim, suite: Suite, epochs: Mapping[str, int], read: CurveReader) -> Judgement:
    """The judgement on a claim by its suite; runs that are not of its variants' `epochs` say nothing of it."""
    run_for = suite.variants.set_index("variant")["epochs"]
    for variant in claim.variants:
        if variant in run_for and run_for[variant] != epochs[variant]:
            evidence = f"{variant} was last run with epochs = {run_for[variant]}, not {epochs[variant]}."
            return not_run(claim, suite.dataset, evidence)
    return judge(claim, suite, read)
