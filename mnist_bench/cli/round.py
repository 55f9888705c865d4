"""A plan, carried out: what isn't finished is trained and recorded, what is recorded is judged, and seeds are added."""

from __future__ import annotations

import contextlib
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from mnist_bench.analysis.leaderboard import METRICS, leaderboard
from mnist_bench.analysis.verdicts import INCONCLUSIVE
from mnist_bench.errors import StoreError, UndeliveredError
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.interrupt import remembered_interrupt
from mnist_bench.execution.plan import make_plan
from mnist_bench.execution.runner import run_all
from mnist_bench.suites import BASELINE
from mnist_bench.tracking import Outbox, Recorder, fetch_model, read_past
from mnist_bench.tracking.health import end_abandoned
from mnist_bench.tracking.leases import Lease
from mnist_bench.tracking.reader import read_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import pandas as pd

    from mnist_bench.cli.progress import SuiteProgress
    from mnist_bench.execution.plan import Plan
    from mnist_bench.specs import RunResult, RunSpec
    from mnist_bench.tracking import Store

__all__ = ["carry_out", "rounds"]


def rounds(plan: Plan, run: Callable[[Plan], pd.DataFrame]) -> Iterator[str]:
    """Run a plan, and again with more seeds what is undecided, until nothing is or the last look is done.

    Args:
        plan: the first round.
        run: carries out a plan, and returns the suite's leaderboard.

    Yields:
        lines to say.
    """
    suite, dataset = plan.suite, plan.dataset
    for seeds, more in zip_longest(plan.looks, plan.looks[1:]):
        undecided, hopeless = _undecided(run(plan), plan)
        if len(plan.looks) > 1:
            yield f"After {seeds} seeds " + (f"undecided: {', '.join(undecided)}." if undecided else "all is decided.")
            if hopeless:
                yield f"No verdict is possible, since no run finishes: {', '.join(hopeless)}."
        if not undecided or not more:
            break
        plan = make_plan(suite, dataset, seeds=more, only=[BASELINE, *undecided], looks=plan.looks)


def _undecided(board: pd.DataFrame, plan: Plan) -> tuple[list[str], list[str]]:
    """The plan's variants without a verdict: those that more seeds may help, and those of which no run finishes."""
    planned = board["variant"].isin({each.variant for each in plan.runs})
    without = board[planned & (board["verdict"] == INCONCLUSIVE)]
    paired = without["pairs"] > 0
    return list(without.loc[paired, "variant"]), list(without.loc[~paired, "variant"])


def carry_out(  # noqa: PLR0913 - what is trained, where it goes, and how
    plan: Plan,
    store: Store,
    progress: SuiteProgress,
    *,
    keep_models: bool,
    engine: Mapping[str, Any],
    given_up: Collection[str] = (),
) -> pd.DataFrame:
    """Train what isn't finished of a plan, record it, and give the variants' parents what their runs come to.

    Args:
        plan: the runs.
        store: where they are recorded.
        progress: what shows it; it knows the failed runs afterwards.
        keep_models: whether every run's model is kept, or the best of each variant alone.
        engine: the arguments of `Engine`.
        given_up: keys of runs that are not to be tried again.

    Returns:
        the suite's leaderboard.

    Raises:
        UndeliveredError: all is trained, but MLflow doesn't take all of it.
        StoreError: the store doesn't answer before anything is trained.
        KeyboardInterrupt: as the user wished; what was finished is kept.
    """
    outbox = Outbox(store.location.outbox)
    recorder = Recorder(store, outbox, keep_models=keep_models, on_trouble=progress.say)
    experiment, variants = recorder.experiment(plan.runs[0]), {run.variant_key for run in plan.runs}
    with Lease(store, experiment, variants, on_wait=progress.say) as lease, recorder:
        _deliver(recorder, progress)
        end_abandoned(store, experiment, ours=variants)
        # Before the past is read: a variant that was renamed is known by its new name from here on.
        recorder.prepare(plan.agenda())
        finished = read_past(store, plan.suite.name, plan.dataset.name).finished()
        todo = [run for run in plan.todo(finished) if run.key not in given_up]
        progress.say(f"{len(plan.runs)} runs of {plan.suite.name} on {plan.dataset.name}, {len(todo)} of them to do.")
        try:
            if todo:
                _train(plan, todo, _models(todo, finished, store), progress, recorder, engine, lease)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                progress.say(
                    f"Interrupted: {progress.finished} runs were trained. The same command goes on from there."
                )
                if recorder.waiting or recorder.unkept:
                    progress.say(_undelivered(recorder, store))
            with contextlib.suppress(StoreError):  # what stopped the suite is to be told
                _judge(plan, store, recorder)
            raise
        recorder.settle()
        if recorder.waiting or recorder.unkept:
            raise UndeliveredError(_undelivered(recorder, store))
        return _judge(plan, store, recorder)


def _undelivered(recorder: Recorder, store: Store) -> str:
    """What isn't in MLflow, why, and what to do about it."""
    told = []
    if recorder.waiting:
        told.append(
            f"{recorder.waiting} finished runs wait in {store.location.outbox}: once MLflow answers, deliver them by "
            f"`mnist-bench sync --tracking-uri {store.location.address}`"
        )
    if recorder.unkept:
        told.append(f"{recorder.unkept} runs could be kept nowhere: the same command trains them again")
    return f"{'; '.join(told)} ({recorder.trouble})"


def _deliver(recorder: Recorder, progress: SuiteProgress) -> None:
    """Record what an earlier process left in the outbox, and say so."""
    delivery = recorder.deliver()
    if delivery.delivered:
        progress.say(f"{delivery.delivered} finished runs of before were waiting in the outbox, and are recorded now.")
    for fault in delivery.faults:
        progress.say(fault)


def _models(todo: Sequence[RunSpec], finished: Mapping[tuple[str, str], str], store: Store) -> dict[str, bytes]:
    """The models of finished runs that runs to do start from, where they were kept, by run key."""
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
    lease: Lease,
) -> None:
    def recorded(result: RunResult) -> None:
        progress.recorded(result)
        lease.check()

    with (
        progress.of(len(todo)),
        remembered_interrupt() as check,
        Engine(plan.dataset, on_progress=progress.at, **engine) as workers,
    ):
        check()  # while workers start, too, Ctrl-C can be dropped
        progress.watch(workers.dashboard)
        run_all(todo, models, engine=workers, recorder=recorder, on_result=recorded)


def _judge(plan: Plan, store: Store, recorder: Recorder) -> pd.DataFrame:
    """Give each variant's parent what its seeds come to, so that MLflow's own table sorts them.

    Those that this plan leaves out too: verdicts and ranks are of all of a suite's variants together.
    """
    suite = read_suite(store, plan.suite.name, plan.dataset.name, metrics=METRICS)
    board = leaderboard(suite).set_index("variant", drop=False)
    figures = board.select_dtypes("number").astype(float)
    for variant, parent in zip(suite.variants["variant"], suite.variants["run_id"], strict=True):
        known = {str(name): value for name, value in figures.loc[variant].dropna().items()}
        judged = [name for name in ("verdict", "sentence") if isinstance(board[name][variant], str)]
        recorder.record_aggregates(parent, known, {name: board[name][variant] for name in judged})
    return board
