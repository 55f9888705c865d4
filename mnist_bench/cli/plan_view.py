"""How a plan is shown: what is done, what is to do, how long that takes, and why a run is to be trained again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from mnist_bench.cli.progress import duration
from mnist_bench.execution.engine import CPU_COUNT
from mnist_bench.tracking import Past, read_past
from mnist_bench.values import flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mnist_bench.execution.plan import Plan
    from mnist_bench.specs import RunSpec
    from mnist_bench.tracking import Store

__all__ = ["show_plan"]


def show_plan(plan: Plan, store: Store | None, workers: int | None, *, explain: bool = False) -> None:
    """Print a plan on standard output, with what `store` holds of it already."""
    past = read_past(store, plan.suite.name, plan.dataset.name) if store else Past()
    todo = plan.todo(past.finished())
    console = Console(highlight=False)
    console.print(_table(plan, todo, past))
    console.print(_time_left(todo, past, workers or CPU_COUNT), soft_wrap=True)
    if explain:
        for line in _changes(todo, past):
            console.print(line, markup=False, soft_wrap=True)


def _table(plan: Plan, todo: Sequence[RunSpec], past: Past) -> Table:
    """A row a variant: its runs, how many are done, and what the others are expected to take on one worker."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("variant", "architecture"):
        table.add_column(name, overflow="fold")
    for name in ("runs", "done", "to do", "training"):
        table.add_column(name, justify="right")
    for variant in dict.fromkeys(run.variant for run in plan.runs):
        runs = [run for run in plan.runs if run.variant == variant]
        left = [run for run in todo if run.variant == variant]
        seconds = _seconds(left, past)
        estimate = "not seen yet" if seconds is None else duration(seconds)
        counts = (len(runs), len(runs) - len(left), len(left))
        table.add_row(variant, runs[0].architecture, *map(str, counts), estimate if left else "")
    return table


def _time_left(todo: Sequence[RunSpec], past: Past, workers: int) -> str:
    """The plan's last line: what is to do, and an estimate of the time once runs of every kind have been seen."""
    seconds = _seconds(todo, past)
    if seconds is None:
        return f"{len(todo)} runs to do; the time they take is not known before each variant has been run once."
    return f"{len(todo)} runs to do, about {duration(seconds / workers)} of training on {workers} workers."


def _changes(todo: Sequence[RunSpec], past: Past) -> Iterator[str]:
    """A line for each run that was recorded under another key: which parts of the key changed."""
    for run in todo:
        recorded = past.spec(run.variant, run.seed)
        if recorded is None:
            yield f"{run.variant} seed {run.seed}: no finished run"
            continue
        now, then = dict(flat(run.identity())), dict(flat(recorded.identity()))
        parts = [
            f"{part}: {then.get(part)} → {now.get(part)}"
            for part in sorted(now.keys() | then.keys())
            if now.get(part) != then.get(part)
        ]
        yield f"{run.variant} seed {run.seed}: " + "; ".join(parts)


def _seconds(runs: Sequence[RunSpec], past: Past) -> float | None:
    """Of training, on one worker; None while a variant has not been seen."""
    seen = {run.variant: past.epoch_seconds(run.variant) for run in runs}
    if None in seen.values():
        return None
    return sum(run.recipe.epochs * (seen[run.variant] or 0.0) for run in runs)
