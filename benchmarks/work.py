"""What the sides of a benchmark share: the runs, what a side tells of them, and ours, recorded as it always is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_bench import data, processor, suites
from mnist_bench.execution.engine import CPU_COUNT
from mnist_bench.execution.plan import Plan, make_plan
from mnist_bench.execution.runner import run_all
from mnist_bench.tracking import Outbox, Recorder, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mnist_bench.execution.engine import Engine
    from mnist_bench.specs import RunResult, RunSpec
    from mnist_bench.tracking import Store

ROOT = Path(__file__).parents[1]

# A group of runs: a suite, and the variants of it; without any, all.
GROUPS = {
    "convolutional": ("ablations", ()),
    "dense": ("references", ("baseline", "logistic_unscaled", "mlp", "one_layer_mlp")),
    "deep": ("references", ("deep_cnn",)),
}


@dataclass(frozen=True)
class Told:
    """What a side did, as it tells the driver: one line of JSON."""

    seconds: float  # start-up left out
    accuracies: dict[str, float]  # on the test part, in percent, by `name_of` each run
    uncounted_seconds: float = 0.0  # spent on choosing settings
    facts: list[str] = field(default_factory=list)  # what is to be said of it

    def tell(self) -> None:
        """Print it for the driver."""
        print(json.dumps(asdict(self)), flush=True)


def name_of(run: RunSpec) -> str:
    """What tells the run from the others of its plan."""
    return f"{run.variant}, seed {run.seed}"


def plan_of(suite: str, dataset: str, *, only: Sequence[str] = (), epochs: int | None, seeds: int) -> Plan:
    """The runs of a suite, or of some of its variants."""
    return make_plan(suites.load(suite, epochs=epochs), data.load(dataset), seeds=seeds, only=only)


def new_store(folder: str) -> Store:
    """An empty store in that folder, on SQLite."""
    return open_store(f"sqlite:///{folder}/mlflow.db", create=True)


class TimedRecorder(Recorder):
    """Knows how long each recording took."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Outbox(store.location.outbox))
        self.seconds: list[float] = []

    def record(self, result: RunResult) -> None:
        """Record, with one eye on the clock."""
        began = time.perf_counter()
        super().record(result)
        self.seconds.append(time.perf_counter() - began)


def seconds_untold(engine: Engine, runs: Sequence[RunSpec]) -> float:
    """How long an engine takes for runs of which nothing is recorded."""
    began = time.perf_counter()
    for _ in engine.results(runs, {}):
        pass
    return time.perf_counter() - began


@dataclass(frozen=True)
class Trained:
    """What came of a plan."""

    results: list[RunResult]
    seconds: float  # from the first run's dispatch to the last one's recording
    recording_seconds: float


def train_and_record(
    plan: Plan, engine: Engine, store: Store, on_result: Callable[[RunResult], None] = lambda _: None
) -> Trained:
    """Run a plan as `mnist-bench run` does, into `store`; `on_result` hears of each run once it is recorded.

    Raises:
        SystemExit: a run failed, so that there is nothing to compare.
    """
    results: list[RunResult] = []

    def keep(result: RunResult) -> None:
        results.append(replace(result, artifacts={}, model=None))  # megabytes, which `run` doesn't keep either
        on_result(result)

    with TimedRecorder(store) as recorder:
        recorder.prepare(plan.agenda())
        began = time.perf_counter()
        run_all(plan.runs, {}, engine=engine, recorder=recorder, on_result=keep)
        seconds = time.perf_counter() - began
    for result in results:
        if not result.finished:
            sys.exit(f"{name_of(result.spec)} failed: {result.cause}")
    return Trained(results, seconds, sum(recorder.seconds))


def answer(command: Sequence[str]) -> Any:
    """What a side of a benchmark prints last, as JSON. What it says on standard error is shown if it fails.

    Raises:
        SystemExit: it failed.
    """
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    told = subprocess.run(  # noqa: S603 - our own scripts
        command, check=False, capture_output=True, text=True, env=os.environ | quiet
    )
    if told.returncode:
        sys.exit(f"{told.stderr}\n{' '.join(command)}: failed with {told.returncode}")
    return json.loads(told.stdout.splitlines()[-1])


def heading(what: str) -> str:
    """The line that figures stand under: processor, cores, date, and what was measured."""
    return f"{processor.name()}, {CPU_COUNT} cores; {time.strftime('%F')}; {what}"
