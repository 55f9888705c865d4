"""`mnist-bench list`: what there is to run."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

__all__ = ["command"]


@click.command("list")
@click.argument("what", type=click.Choice(["architectures", "suites", "datasets"]))
def command(what: str) -> None:
    """Show what there is to run: architectures, suites, datasets."""
    tables = {"architectures": _architectures, "suites": _suites, "datasets": _datasets}
    Console().print(tables[what]())


def _architectures() -> Table:
    from mnist_bench import architectures  # noqa: PLC0415 - only for this table

    table = _table("architecture", "what it is, and its options")
    for name in architectures.names():
        entry = architectures.get(name)
        defaults = architectures.resolve_options(name, {}, name)
        options = "".join(f"\n  [cyan]{option}[/] = {default}" for option, default in defaults.items())
        table.add_row(name, f"{entry.summary}{options}")
    return table


def _suites() -> Table:
    from mnist_bench import suites  # noqa: PLC0415 - only for this table

    table = _table("suite", "its question, cost and variants")
    for name in suites.names():
        suite = suites.load(name)
        variants = ", ".join(variant.name for variant in suite.variants)
        table.add_row(name, f"{suite.question}\n{suite.cost}\n[cyan]{variants}[/]")
    return table


def _datasets() -> Table:
    from mnist_bench import data  # noqa: PLC0415 - only for this table

    table = _table("dataset", "what it is")
    for name, summary in data.DATASETS.items():
        table.add_row(name, summary)
    return table


def _table(*headers: str) -> Table:
    table = Table(*headers, show_lines=True)
    table.columns[0].no_wrap = True
    return table
