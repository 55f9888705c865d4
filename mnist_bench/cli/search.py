"""One study, carried on and recorded, and what it found."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from mnist_bench.errors import RunsFailedError, StoreError
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.interrupt import remembered_interrupt
from mnist_bench.tracking.patience import Patience
from mnist_bench.tracking.studies import StudyRecorder
from mnist_bench.tuning.choice import ranked, simplest, standard_error
from mnist_bench.tuning.search import Search, end_stale, standing
from mnist_bench.tuning.study import IDENTITY, tried
from mnist_bench.values import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from optuna import Study

    from mnist_bench.cli.progress import SearchProgress
    from mnist_bench.specs import RunResult
    from mnist_bench.tracking import Store
    from mnist_bench.tuning.choice import Saturation
    from mnist_bench.tuning.sampling import Draws
    from mnist_bench.tuning.study import Subject, Tried

__all__ = ["Mirror", "carry_on", "findings", "recorder_of"]


def recorder_of(study: Study, subject: Subject, store: Store) -> StudyRecorder:
    """What records a study in MLflow."""
    settings = {name: str(value) for name, value in flat(subject.settings())}
    return StudyRecorder(store, subject.study, study.user_attrs[IDENTITY], subject.dataset.name, settings)


class Mirror:
    """A study as MLflow has it. While that doesn't answer the search goes on, since the study's storage has it all.

    Args:
        study: what is recorded.
        recorder: what records it.
        say: tells, in a line, that trials are not recorded for now.
    """

    def __init__(self, study: Study, recorder: StudyRecorder, say: Callable[[str], None]) -> None:
        self._study = study
        self._recorder = recorder
        self._say = say
        self._patience = Patience()
        self._behind = False

    def record(self, number: int, result: RunResult) -> None:
        """Record a trial that ended, and those before it that are missing."""
        if self._behind:
            if self._patience.due:
                self.catch_up()
        else:
            self._try(lambda: self._recorder.record(number, result))

    def catch_up(self) -> None:
        """Record all trials that ended and are missing."""

        def record_all() -> None:
            for trial in tried(self._study):
                self._recorder.record(trial.number, trial.result)

        self._try(record_all)

    def _try(self, record: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            record()
        except StoreError as fault:
            self._patience.failed(time.monotonic() - began)
            if not self._behind:
                self._say(f"{fault}. The search goes on; the same command records later what is missing.")
            self._behind = True
        else:
            self._patience.worked(time.monotonic() - began)
            self._behind = False


def carry_on(  # noqa: PLR0913 - what is searched, and all that take part
    study: Study,
    subject: Subject,
    draws: Draws,
    recorder: StudyRecorder,
    progress: SearchProgress,
    *,
    total: int,
    timeout_seconds: float | None,
    engine: Mapping[str, Any],
) -> list[Tried]:
    """Search until the study has `total` trials, and record them.

    Args:
        study: what is asked and told.
        subject: what it searches for.
        draws: what is drawn for it.
        recorder: what records it; the study's parent has ended afterwards.
        progress: what shows it.
        total: how many trials the study is to have, those of before included.
        timeout_seconds: after so many none is begun.
        engine: the arguments of `Engine`.

    Returns:
        the trials that came to their ends.

    Raises:
        RunsFailedError: the first trials all failed, or none of all has finished.
        KeyboardInterrupt: as the user wished; what had ended is recorded.
    """
    mirror = Mirror(study, recorder, progress.say)

    def ended(number: int, result: RunResult) -> None:
        progress.ended(number, result, standing(study))
        mirror.record(number, result)

    status = "FAILED"
    try:
        end_stale(study, subject.objectives)
        mirror.catch_up()  # with what a killed search didn't come to record
        now = standing(study)
        if now.ended >= total:
            progress.say(f"The study {subject.study} has its {now.ended} trials already.")
        else:
            with (
                recorder.presence(),
                progress.of(total, now),
                remembered_interrupt() as check,
                Engine(subject.dataset, on_progress=progress.at, **engine) as workers,
            ):
                check()  # while workers start, too, Ctrl-C can be dropped
                progress.watch(workers.dashboard)
                Search(study, subject, draws, workers.trials(), ended).run(total, timeout_seconds)
        mirror.catch_up()
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        progress.say(f"Interrupted: {standing(study).ended} trials are kept. The same command goes on from there.")
        raise
    finally:
        with contextlib.suppress(StoreError):  # the trials are in the study, and the next search ends it
            recorder.end(status)
    found = tried(study)
    if not ranked(found):
        causes = [trial.result.cause for trial in found if trial.result.cause]
        raise RunsFailedError(f"no trial has finished{f', the last for: {causes[-1]}' if causes else ''}")
    return found


def findings(study: Study, subject: Subject, found: list[Tried], levels: list[Saturation]) -> Iterator[str]:
    """What the search found, in lines: the best, the simplest that is as good, and where more stops helping."""
    now, images, best = standing(study), subject.validation_images, ranked(found)[0]
    error = 100 * standard_error(best.accuracy, images)
    yield (
        f"{subject.study}: {now.ended} trials, {now.complete} finished, {now.pruned} pruned, {now.failed} failed; "
        f"judged by {images:,} validation images"
    )
    yield f"best: {_described(best)}; one standard error is {error:.2f} pp"
    yield from (f"the default: {_came_to(trial)}" for trial in ranked(found) if subject.is_default(trial))
    plain = simplest(found, images)
    if plain is not None and plain is not best:
        yield f"the simplest within that: {_described(plain)}"
    yield from (saturation.sentence for saturation in levels)
    if levels and now.pruned:
        yield f"(without the {now.pruned} pruned trials: --sampler random --pruner none is the fairer witness)"


def _described(trial: Tried) -> str:
    drawn = ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
    return f"{_came_to(trial)} ({drawn})"


def _came_to(trial: Tried) -> str:
    return f"trial {trial.number}, {trial.accuracy:.2%} with {trial.parameters:,} parameters"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
