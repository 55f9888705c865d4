"""`mnist-bench run`: a suite, trained and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mnist_bench.cli.options import data_dir_option, dataset_option, suite_option, tracking_uri_option
from mnist_bench.cli.progress import NORMAL, QUIET, VERBOSE, SuiteProgress
from mnist_bench.errors import RunsFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mnist_bench.execution.plan import Plan
    from mnist_bench.specs import RunSpec
    from mnist_bench.tracking import Recorder, Store

__all__ = ["command"]

_positive = click.IntRange(min=1)


@click.command("run")
@suite_option
@dataset_option
@data_dir_option
@click.option("--seeds", type=_positive, help="How many seeds, instead of the suite's number.")
@click.option("--epochs", type=_positive, help="How many epochs, instead of each recipe's number.")
@click.option("--only", multiple=True, metavar="VARIANT", help="Only this variant; may be given several times.")
@click.option("--workers", type=_positive, help="Worker processes; one a core unless told.")
@click.option("--scheduler", metavar="ADDRESS", help="The workers of this Dask scheduler instead: tcp://host:8786.")
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
    only: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    keep_models: bool,
    dry_run: bool,
    explain: bool,
    tracking_uri: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train every variant of a suite over paired seeds, and record each run."""
    from mnist_bench import data, suites  # noqa: PLC0415 - `--help` needs none of these, here and below
    from mnist_bench.execution.plan import make_plan  # noqa: PLC0415

    if workers and scheduler:
        raise click.UsageError("--workers is for this machine's own; with --scheduler its workers are used")
    console = Console(stderr=True, quiet=quiet, highlight=False)
    plan = make_plan(suites.load(suite, epochs=epochs), data.load(dataset, data_dir), seeds=seeds, only=only)
    if plan.dataset.note:
        console.print(plan.dataset.note, markup=False, soft_wrap=True)
    if dry_run or explain:
        _show(plan, tracking_uri, workers, explain=explain)
    if dry_run:
        return
    progress = SuiteProgress(console, QUIET if quiet else VERBOSE if verbose else NORMAL)
    _run(plan, progress, tracking_uri, keep_models=keep_models, engine={"workers": workers, "scheduler": scheduler})


def _show(plan: Plan, tracking_uri: str | None, workers: int | None, *, explain: bool) -> None:
    """Print the plan on standard output. A store that isn't there yet is not made for it."""
    from mnist_bench.cli import plan_view  # noqa: PLC0415
    from mnist_bench.execution.engine import CPU_COUNT  # noqa: PLC0415
    from mnist_bench.tracking import Past, locate, open_store, read_past  # noqa: PLC0415

    database = locate(tracking_uri).database
    empty = database is not None and not database.exists()
    past = Past(()) if empty else read_past(open_store(tracking_uri), plan.suite.name, plan.dataset.name)
    todo = plan.todo(past.finished())
    console = Console(highlight=False)
    console.print(plan_view.plan_table(plan, todo, past))
    console.print(plan_view.time_left(todo, past, workers or CPU_COUNT), soft_wrap=True)
    if explain:
        for line in plan_view.changes(todo, past):
            console.print(line, markup=False, soft_wrap=True)


def _run(
    plan: Plan, progress: SuiteProgress, tracking_uri: str | None, *, keep_models: bool, engine: Mapping[str, Any]
) -> None:
    """Train what isn't finished, and record it.

    Raises:
        RunsFailedError: some runs failed.
        KeyboardInterrupt: as the user wished; what was finished is recorded.
    """
    from mnist_bench.tracking import Outbox, Recorder, open_store, read_past  # noqa: PLC0415

    store = open_store(tracking_uri, create=True)
    recorder = Recorder(store, Outbox(store.location.outbox), keep_models=keep_models)
    _deliver(recorder, progress)
    with recorder:
        # Before the past is read: a variant that was renamed is known by its new name from here on.
        parents = recorder.prepare(plan.agenda())
        finished = read_past(store, plan.suite.name, plan.dataset.name).finished()
        todo = plan.todo(finished)
        progress.say(f"{len(plan.runs)} runs of {plan.suite.name} on {plan.dataset.name}, {len(todo)} of them to do.")
        try:
            if todo:
                _train(plan, todo, _models(todo, finished, store), progress, recorder, engine)
        except KeyboardInterrupt:
            progress.say(f"Interrupted: {progress.finished} runs are recorded. The same command goes on from there.")
            raise
        finally:
            _record_aggregates(plan, store, recorder, parents)
    progress.say(f"Next: mnist-bench leaderboard --suite {plan.suite.name} --dataset {plan.dataset.name}")
    if progress.failed:
        failed = [f"{run.spec.variant} seed {run.spec.seed} ({run.cause})" for run in progress.failed]
        raise RunsFailedError(f"{len(failed)} of {len(todo)} runs failed: {', '.join(failed)}")


def _deliver(recorder: Recorder, progress: SuiteProgress) -> None:
    """Record what an earlier process left in the outbox, and say so."""
    delivery = recorder.deliver()
    if delivery.delivered:
        progress.say(f"{delivery.delivered} finished runs of before were waiting in the outbox, and are recorded now.")
    for path in delivery.rejected:
        progress.say(f"{path}: not a recorded run; set aside as {path.name}.rejected")


def _models(todo: Sequence[RunSpec], finished: Mapping[tuple[str, str], str], store: Store) -> dict[str, bytes]:
    """The models of finished runs that runs to do start from, where they were kept, by run key."""
    from mnist_bench.tracking import fetch_model  # noqa: PLC0415

    sources = {run.start_from.key: run.start_from for run in todo if run.start_from}
    kept = {
        key: fetch_model(store, finished[source.variant, key])
        for key, source in sources.items()
        if (source.variant, key) in finished
    }
    return {key: model for key, model in kept.items() if model is not None}


def _train(  # noqa: PLR0913, PLR0917 - what is trained, and all that take part
    plan: Plan,
    todo: Sequence[RunSpec],
    models: Mapping[str, bytes],
    progress: SuiteProgress,
    recorder: Recorder,
    engine: Mapping[str, Any],
) -> None:
    from mnist_bench.execution.engine import Engine  # noqa: PLC0415
    from mnist_bench.execution.runner import run_all  # noqa: PLC0415

    with progress.of(len(todo)), Engine(plan.dataset, on_progress=progress.at, **engine) as workers:
        run_all(todo, models, engine=workers, recorder=recorder, on_result=progress.recorded)


def _record_aggregates(plan: Plan, store: Store, recorder: Recorder, parents: Mapping[str, str]) -> None:
    """Give each variant's parent what its seeds come to, so that MLflow's own table sorts them."""
    from mnist_bench.analysis.leaderboard import leaderboard  # noqa: PLC0415
    from mnist_bench.tracking.reader import read_suite  # noqa: PLC0415

    board = leaderboard(read_suite(store, plan.suite.name, plan.dataset.name)).set_index("variant")
    for variant, figures in board.select_dtypes("number").iterrows():
        if variant in parents:
            known = {str(name): float(value) for name, value in figures.dropna().items()}
            recorder.record_aggregates(parents[str(variant)], known)
