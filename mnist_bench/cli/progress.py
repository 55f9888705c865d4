"""What a suite or a search is at: a bar and a line for each worker on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console
    from rich.progress import TaskID

    from mnist_bench.specs import RunResult
    from mnist_bench.tuning.search import Standing

__all__ = ["SearchProgress", "SuiteProgress", "verbosity"]

QUIET, NORMAL, VERBOSE = -1, 0, 1


def verbosity(*, quiet: bool, verbose: bool) -> int:
    """How much is shown, by a command's flags."""
    return QUIET if quiet else VERBOSE if verbose else NORMAL


class _Bars:
    """A bar over all, and one for each worker, on `console`, which is standard error.

    QUIET shows nothing; NORMAL a bar on a terminal, and elsewhere a line a run; VERBOSE both.
    """

    def __init__(self, console: Console, verbosity: int) -> None:
        self._console = console
        bar = console.is_terminal and verbosity > QUIET
        self._lines = verbosity > NORMAL or (verbosity == NORMAL and not bar)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not bar,
            transient=True,
            refresh_per_second=2,  # drawing it ten times a second would take from training
            speed_estimate_period=24 * 3600,  # a run may take minutes
        )
        self._whole: TaskID | None = None
        self._workers: dict[str, TaskID] = {}  # by Dask's name, which a worker that is started again keeps
        self._lock = threading.Lock()  # the workers' news comes from Dask's thread
        self._began = 0.0

    def say(self, line: str) -> None:
        """Print a line."""
        with contextlib.suppress(OSError):  # a log on a full disk is no reason to stop
            self._console.print(line, markup=False, soft_wrap=True)

    def watch(self, dashboard: str | None) -> None:
        """Say where a cluster can be watched at work."""
        if dashboard:
            self.say(f"Dask's dashboard: {dashboard}")

    def at(self, news: Mapping[str, Any]) -> None:
        """A worker has begun a run, or ended an epoch of it."""
        with self._lock:
            worker = str(news["worker"])
            if worker not in self._workers:
                name = f"worker {len(self._workers) + 1}"
                self._workers[worker] = self._bar.add_task(name, total=None, state="")
            state = f"{news['variant']} seed {news['seed']}, epoch {news['epoch']}/{news['epochs']}"
            self._bar.update(
                self._workers[worker], completed=news["epoch"], total=news["epochs"], state=state, refresh=False
            )


class SuiteProgress(_Bars):
    """Shows a suite's progress."""

    def __init__(self, console: Console, verbosity: int) -> None:
        super().__init__(console, verbosity)
        self.finished = 0
        self.failed: list[RunResult] = []
        self._total = 0

    @contextlib.contextmanager
    def of(self, total: int) -> Iterator[None]:
        """Show the progress of `total` runs."""
        self._total, self._began = total, time.monotonic()
        self._whole = self._bar.add_task("suite", total=total, state=self._state())
        with self._bar:
            yield
        took = duration(time.monotonic() - self._began)
        self.say(f"{self.finished} runs finished and {len(self.failed)} failed in {took}.")

    @property
    def failures(self) -> list[str]:
        """Which runs failed, and why, each in words."""
        return [f"{run.spec.variant} seed {run.spec.seed} ({run.cause})" for run in self.failed]

    def recorded(self, result: RunResult) -> None:
        """A run is recorded."""
        if result.finished:
            self.finished += 1
        else:
            self.failed.append(result)
        if self._whole is not None:
            self._bar.update(self._whole, advance=1, state=self._state())
        if self._lines:
            self.say(self._line(result))

    def _state(self) -> str:
        left = self._total - self.finished - len(self.failed)
        return f"{self.finished} done, {len(self.failed)} failed, {left} left"

    def _line(self, result: RunResult) -> str:
        done = self.finished + len(self.failed)
        outcome = f"test {result.metrics['test_accuracy']:.2%}" if result.finished else f"FAILED: {result.cause}"
        left = (time.monotonic() - self._began) / done * (self._total - done)
        end = f", about {duration(left)} left" if done < self._total else ""
        run = f"{result.spec.variant} seed {result.spec.seed}"
        return f"{done}/{self._total} {run}: {outcome} ({result.seconds:.1f} s{end})"


class SearchProgress(_Bars):
    """Shows a search's progress."""

    def __init__(self, console: Console, verbosity: int) -> None:
        super().__init__(console, verbosity)
        self._total = self._before = 0

    @contextlib.contextmanager
    def of(self, total: int, now: Standing) -> Iterator[None]:
        """Show the progress towards `total` trials from where the study stands now."""
        self._total, self._before, self._began = total, now.ended, time.monotonic()
        self._whole = self._bar.add_task("trials", total=total, completed=now.ended, state=_standing(now))
        with self._bar:
            yield

    def ended(self, number: int, result: RunResult, now: Standing) -> None:
        """A trial has ended, and the study stands so."""
        if self._whole is not None:
            self._bar.update(self._whole, completed=now.ended, state=_standing(now))
        if self._lines:
            outcome = "pruned" if result.pruned else "" if result.finished else f"FAILED: {result.cause}"
            outcome = outcome or f"validation {result.kept['val_accuracy']:.2%}"
            left = (time.monotonic() - self._began) / max(1, now.ended - self._before) * (self._total - now.ended)
            end = f", about {duration(left)} left" if now.ended < self._total else ""
            self.say(f"{now.ended}/{self._total} trial {number}: {outcome} ({result.seconds:.1f} s{_best(now)}{end})")


def _standing(now: Standing) -> str:
    return f"{now.complete} done, {now.pruned} pruned, {now.failed} failed{_best(now)}"


def _best(now: Standing) -> str:
    return f", best {now.best[0]:.2%}" if now.best else ""


def duration(seconds: float) -> str:
    """A time as people read it: `42 s`, `3 min 05 s`, `2 h 10 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
