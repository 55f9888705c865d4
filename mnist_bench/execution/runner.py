"""A suite, run: each run that is to do is trained and recorded; a failed one is recorded too, and the suite goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_bench.execution.interrupt import remembered_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mnist_bench.execution.engine import Engine
    from mnist_bench.specs import RunResult, RunSpec
    from mnist_bench.tracking import Recorder

__all__ = ["run_all"]


def run_all(
    todo: Sequence[RunSpec],
    models: Mapping[str, bytes],
    *,
    engine: Engine,
    recorder: Recorder,
    on_result: Callable[[RunResult], None],
) -> None:
    """Train and record `todo`.

    Args:
        todo: the runs, in the order in which they are wanted.
        models: the `.keras` files of finished runs that some of them start from, by run key.
        engine: what trains.
        recorder: what records.
        on_result: called with each result once it is recorded, the failed ones included.

    Raises:
        KeyboardInterrupt: as the user wished, between two runs at the latest.
    """
    with remembered_interrupt() as check:
        for result in engine.results(todo, models):
            recorder.record(result)
            on_result(result)
            check()
