"""The search: the driver asks Optuna what to try, the engine's workers train it, and the driver tells how it went."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from mnist_bench.errors import RunsFailedError
from mnist_bench.execution.interrupt import remembered_interrupt
from mnist_bench.execution.trials import Epoch
from mnist_bench.tracking.holders import BEAT_SECONDS, holder
from mnist_bench.tuning.lease import LEASE, stale
from mnist_bench.tuning.study import RUN_KEY, SAME_AS, counts, keep, state_of, told, values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

    from mnist_bench.execution.trials import Trials
    from mnist_bench.specs import RunResult, RunSpec
    from mnist_bench.tuning.sampling import Draws
    from mnist_bench.tuning.study import Subject

__all__ = ["Search", "Standing", "end_stale", "standing"]

_WAIT_SECONDS = 1.0  # for news; then twins and the clock are looked at
_HOPELESS = 5  # trials that all fail


@dataclass(frozen=True)
class Standing:
    """How far a study is: how many of its trials ended how, and the best so far."""

    complete: int
    pruned: int
    failed: int
    best: tuple[float, int] | None  # validation accuracy in [0, 1], and the trial's number

    @property
    def ended(self) -> int:
        """How many count towards the total."""
        return self.complete + self.pruned + self.failed


def standing(study: Study) -> Standing:
    """How far a study is."""
    ended = [trial for trial in study.get_trials(deepcopy=False) if counts(trial)]
    states = [trial.state for trial in ended]
    accuracies = [(t.values[0], -t.number) for t in ended if t.state == TrialState.COMPLETE]  # the first of equals
    best = max(accuracies, default=None)
    return Standing(
        states.count(TrialState.COMPLETE),
        states.count(TrialState.PRUNED),
        states.count(TrialState.FAIL),
        best and (best[0], -best[1]),
    )


def end_stale(study: Study, objectives: Sequence[str]) -> None:
    """End the trials whose search is no more: as they ended, if they had; else as broken off."""
    for trial in stale(study):
        ended_at, state = told(study, trial, objectives)
        study.tell(trial.number, ended_at, state, skip_if_finished=True)  # another search may have come first


class Search:
    """Carries a study on. Others may do so at the same time, from other processes or machines.

    Args:
        study: what is asked and told.
        subject: what it searches for.
        draws: what is drawn for it.
        trials: what trains.
        on_end: called with the number and the result of each trial once the study knows it.
    """

    def __init__(
        self,
        study: Study,
        subject: Subject,
        draws: Draws,
        trials: Trials,
        on_end: Callable[[int, RunResult], None] = lambda *_: None,
    ) -> None:
        self._study = study
        self._subject = subject
        self._draws = draws
        self._trials = trials
        self._on_end = on_end
        self._under_way: dict[str, _Running] = {}  # by the run's variant
        self._twins: list[_Running] = []  # drawn while another trial of the same run is under way
        self._ended = self._failed = 0  # of ours
        self._salt = f"{socket.gethostname()} {os.getpid()}"
        self._beat_at = time.monotonic()

    def run(self, total: int, timeout_seconds: float | None = None) -> None:
        """Go on until the study has `total` trials, the timeout lets none begin any more, or a grid is exhausted.

        Raises:
            RunsFailedError: all of the first trials failed.
            SchedulerError: a worker has other code than this process.
            KeyboardInterrupt: as the user wished.
        """
        deadline = time.monotonic() + timeout_seconds if timeout_seconds is not None else None
        end_stale(self._study, self._subject.objectives)
        try:
            with remembered_interrupt() as check:
                while True:
                    check()
                    self._settle_twins()
                    self._fill(total, deadline)
                    if not self._under_way and not self._twins:
                        return
                    self._hear()
                    self._beat()
        finally:
            for running in [*self._under_way.values(), *self._twins]:
                self._study.tell(running.trial, state=TrialState.FAIL, skip_if_finished=True)

    def _hear(self) -> None:
        """Wait for news of the trials, and act on it."""
        news = self._trials.news(_WAIT_SECONDS)
        if isinstance(news, Epoch):
            self._judge(news)
        elif news is not None:
            self._end(news)

    def _fill(self, total: int, deadline: float | None) -> None:
        """Begin trials until all workers have one."""
        while len(self._under_way) < self._trials.slots and (deadline is None or time.monotonic() < deadline):
            known = self._study.get_trials(deepcopy=False)
            taken = [trial for trial in known if counts(trial) or trial.state == TrialState.RUNNING]
            if len(taken) >= total:
                return
            trial = self._ask(known, taken)
            if trial is None:
                return
            self._begin(trial)

    def _ask(self, known: Sequence[FrozenTrial], taken: Sequence[FrozenTrial]) -> Trial | None:
        """A new trial, RUNNING and ours; None if the grid has no more."""
        fixed = self._draws.fixed(taken)
        if fixed is None:
            return None
        ours = {running.trial.number for running in [*self._under_way.values(), *self._twins]}
        alone = all(trial.state != TrialState.RUNNING or trial.number in ours for trial in known)
        self._study.sampler = self._draws.sampler(len(known), "" if alone else self._salt)
        # By way of the queue, so that a trial is never RUNNING without somebody's lease, wherever one is killed.
        if all(trial.state != TrialState.WAITING for trial in known):
            self._study.enqueue_trial(fixed, user_attrs={LEASE: holder()})
        trial = self._study.ask()
        trial.set_user_attr(LEASE, holder())  # what a killed search left in the queue has that one's
        return trial

    def _begin(self, trial: Trial) -> None:
        """Train it, unless the same was or is being trained."""
        try:
            spec = self._subject.run(trial.number, *self._subject.space.suggest(trial))
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        # Before others are looked for, so that two searches see one another; but for what both draw at one moment.
        trial.set_user_attr(RUN_KEY, spec.key)
        self._twins.append(_Running(trial, spec))
        self._settle_twins()

    def _settle_twins(self) -> None:
        """Let a trial end as the same one did before it, wait while that is under way, and else be trained."""
        waiting, self._twins = self._twins, []
        for running in waiting:
            known = self._study.get_trials(deepcopy=False)
            others = _same(running.spec, known, TrialState.RUNNING)
            if self._copied(running, known):
                continue
            if any(other.number < running.trial.number for other in others):
                self._twins.append(running)
            else:
                self._under_way[running.spec.variant] = running
                self._trials.begin(running.spec)

    def _copied(self, running: _Running, known: Sequence[FrozenTrial]) -> bool:
        """Whether the same was trained before; then this trial ends as that did."""
        ended = [same for same in _same(running.spec, known, *_ENDED) if counts(same)]
        if not ended:
            return False
        before, trial = ended[0], running.trial
        try:
            if len(self._subject.objectives) == 1:
                for epoch, accuracy in before.intermediate_values.items():
                    trial.report(accuracy, epoch)
            trial.set_user_attr(SAME_AS, before.number)
        except UpdateFinishedTrialError:  # taken for dead by another search, which has ended it
            return True
        ended_at = before.values if before.state == TrialState.COMPLETE else None
        self._study.tell(trial, ended_at, before.state, skip_if_finished=True)
        return True

    def _judge(self, epoch: Epoch) -> None:
        """Report an epoch, and prune its trial if the study's pruner says so. Several objectives aren't pruned."""
        running = self._under_way.get(epoch.spec.variant)
        if running is None or len(self._subject.objectives) > 1:
            return
        try:
            running.report(epoch.number, epoch.figures["val_accuracy"])
        except UpdateFinishedTrialError:
            return  # another search took ours for dead; the end of it will show that, too
        if running.trial.should_prune():
            self._trials.prune(epoch.spec)

    def _end(self, result: RunResult) -> None:
        """Tell what came of a trial."""
        running = self._under_way.pop(result.spec.variant)
        trial, objectives = running.trial, self._subject.objectives
        try:
            if len(objectives) == 1:
                for number, figures in enumerate(result.history, start=1):
                    running.report(number, figures.get("val_accuracy", float("nan")))
            keep(trial, result)
        except UpdateFinishedTrialError:  # taken for dead: it counts as broken off, and is drawn again some time
            return
        ended_at = values(result, objectives) if result.finished else None
        self._study.tell(trial, ended_at, state_of(result), skip_if_finished=True)
        self._on_end(trial.number, result)
        self._despair(result)

    def _despair(self, result: RunResult) -> None:
        """Stop where whatever is drawn fails."""
        self._ended += 1
        self._failed += result.cause is not None
        if self._failed == self._ended == _HOPELESS:
            raise RunsFailedError(f"the first {_HOPELESS} trials all failed, the last of them: {result.cause}")

    def _beat(self) -> None:
        """Say that the trials under way are alive, and fail those whose search is not."""
        if time.monotonic() - self._beat_at < BEAT_SECONDS:
            return
        self._beat_at = time.monotonic()
        for running in [*self._under_way.values(), *self._twins]:
            try:
                running.trial.set_user_attr(LEASE, holder())
            except UpdateFinishedTrialError:
                continue
        end_stale(self._study, self._subject.objectives)


class _Running:
    """A trial of ours."""

    def __init__(self, trial: Trial, spec: RunSpec) -> None:
        self.trial = trial
        self.spec = spec
        self._reported: set[int] = set()

    def report(self, epoch: int, accuracy: float) -> None:
        """Report an epoch, unless it was: a run whose worker died begins anew."""
        if epoch not in self._reported:
            self._reported.add(epoch)
            self.trial.report(accuracy, epoch)


_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def _same(spec: RunSpec, known: Sequence[FrozenTrial], *states: TrialState) -> list[FrozenTrial]:
    """The trials of the same run in one of these states."""
    return [trial for trial in known if trial.user_attrs.get(RUN_KEY) == spec.key and trial.state in states]
