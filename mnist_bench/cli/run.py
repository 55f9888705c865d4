"""`mnist-bench run`: a suite, trained and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from mnist_bench.cli.options import (
    FiniteRange,
    data_dir_option,
    dataset_option,
    epochs_option,
    scheduler_option,
    seeds_option,
    suite_option,
    tracking_uri_option,
    workers_option,
    workers_or_scheduler,
)
from mnist_bench.cli.progress import SuiteProgress, verbosity
from mnist_bench.errors import RunsFailedError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from mnist_bench.execution.plan import Plan

__all__ = ["command"]

_MOST_ROUNDS = 4
_LONGEST_SECONDS = 1e6  # eleven days


@click.command("run")
@suite_option
@dataset_option
@data_dir_option
@seeds_option
@epochs_option
@click.option("--until-decided", is_flag=True, help="Add seeds, round by round, to the variants without a verdict.")
@click.option(
    "--max-seeds",
    type=click.IntRange(min=1),
    help="How many --until-decided may reach; four times as many as it begins with unless told.",
)
@click.option("--only", multiple=True, metavar="VARIANT", help="Only this variant; may be given several times.")
@workers_option
@scheduler_option
@click.option(
    "--run-timeout",
    type=FiniteRange(min=1, max=_LONGEST_SECONDS),
    metavar="SECONDS",
    help="Kill the worker of a run that takes longer, and try it again, three times in all.",
)
@click.option("--keep-models", is_flag=True, help="Keep every run's model, not only the best of each variant.")
@click.option("--dry-run", is_flag=True, help="Print the plan, and train nothing.")
@click.option("--explain", is_flag=True, help="Print the plan, and why runs are to be trained that were before.")
@tracking_uri_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Print a line a run, under the bar too.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    suite: str,
    dataset: str,
    data_dir: Path | None,
    seeds: int | None,
    epochs: int | None,
    until_decided: bool,
    max_seeds: int | None,
    only: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    run_timeout: float | None,
    keep_models: bool,
    dry_run: bool,
    explain: bool,
    tracking_uri: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train every variant of a suite over paired seeds, and record each run."""
    from mnist_bench import data, suites  # noqa: PLC0415 - `--help` needs none of these, here and below
    from mnist_bench.cli.round import carry_out, rounds  # noqa: PLC0415
    from mnist_bench.execution.local import load_ahead  # noqa: PLC0415
    from mnist_bench.execution.plan import make_plan  # noqa: PLC0415
    from mnist_bench.tracking import open_if_there, open_store  # noqa: PLC0415

    engine = workers_or_scheduler(workers, scheduler) | {"run_timeout": run_timeout}
    console = Console(stderr=True, quiet=quiet, highlight=False)
    wanted = suites.load(suite, epochs=epochs)
    looks = _looks(seeds or wanted.seeds, max_seeds, until_decided=until_decided)
    if until_decided and only:
        only = (suites.BASELINE, *only)  # without it nothing is decided
    if not (dry_run or scheduler):
        load_ahead()
    plan = make_plan(wanted, data.load(dataset, data_dir), seeds=looks[0], only=only, looks=looks)
    if plan.dataset.note:
        console.print(plan.dataset.note, markup=False, soft_wrap=True)
    if dry_run or explain:
        from mnist_bench.cli.plan_view import show_plan  # noqa: PLC0415

        show_plan(plan, open_if_there(tracking_uri), 1 if scheduler else workers, explain=explain)
    if dry_run:
        return
    store = open_store(tracking_uri, create=True)
    shown: list[SuiteProgress] = []

    def run(plan: Plan) -> pd.DataFrame:
        shown.append(SuiteProgress(console, verbosity(quiet=quiet, verbose=verbose)))
        given_up = {run.spec.key for each in shown for run in each.failed}
        return carry_out(plan, store, shown[-1], keep_models=keep_models, engine=engine, given_up=given_up)

    for line in rounds(plan, run):
        console.print(line, markup=False, soft_wrap=True)
    where = f" --tracking-uri {store.location.address}" if tracking_uri else ""
    following = f"Next: mnist-bench leaderboard --suite {wanted.name} --dataset {plan.dataset.name}{where}"
    console.print(following, markup=False, soft_wrap=True)
    failed = [told for each in shown for told in each.failures]
    if failed:
        trained = len(failed) + sum(each.finished for each in shown)
        raise RunsFailedError(f"{len(failed)} of {trained} runs failed: {', '.join(failed)}")


def _looks(seeds: int, max_seeds: int | None, *, until_decided: bool) -> tuple[int, ...]:
    """The numbers of seeds at which the results are looked at."""
    if not until_decided:
        if max_seeds:
            raise click.UsageError("--max-seeds is for --until-decided; without it say --seeds")
        return (seeds,)
    most = max_seeds or _MOST_ROUNDS * seeds
    if most < seeds:
        raise click.UsageError(f"--max-seeds {most} is less than the {seeds} seeds that the suite begins with")
    return (*range(seeds, most, seeds), most)
