"""What everything around the training costs, each figure beside the bar that it is held to.

Usage: python benchmarks/overheads.py [--dataset mnist-5k] [--suite-dataset mnist] [--epochs 5]

Many short runs are on `--dataset`. A suite as one runs it is on `--suite-dataset`: `ablations` with one seed, in which
recording and holding the data weigh what they weigh.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
from distributed import default_client
from work import GROUPS, TimedRecorder, heading, new_store, plan_of, seconds_untold, train_and_record

from mnist_bench.execution.engine import Engine
from mnist_bench.execution.plan import Plan, make_plan

if TYPE_CHECKING:
    from mnist_bench.specs import RunResult, RunSpec

RUNS = 200  # by one worker: 8 variants in turn
LEAST_RUNS = 24
LOOKS = 4  # at what they hold, the second half of which should be flat
RECORDED = 1000
SHORT_SEEDS = 10  # of dense networks, whose runs take less than a second
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist-5k")
    parser.add_argument("--suite-dataset", default="mnist")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--runs", type=int, default=RUNS, help="how many short ones")
    arguments = parser.parse_args()
    if arguments.runs < LEAST_RUNS:
        parser.error(f"--runs: at least {LEAST_RUNS}, since models are traced in the first ones")
    print(heading(f"{arguments.runs} runs on {arguments.dataset}, a suite on {arguments.suite_dataset}"))
    short = plan_of("ablations", arguments.dataset, epochs=1, seeds=-(-arguments.runs // 8))
    result = many_runs(replace(short, runs=short.runs[: arguments.runs]))
    recording(short, result)
    a_suite(plan_of("ablations", arguments.suite_dataset, epochs=arguments.epochs, seeds=1))
    suite, dense = GROUPS["dense"]
    recording_beside_workers(
        plan_of(suite, arguments.suite_dataset, only=dense, epochs=arguments.epochs, seeds=SHORT_SEEDS)
    )
    report("mnist-bench --help", wall_seconds("--help"), "s", 0.3)


def many_runs(plan: Plan) -> RunResult:
    """How soon a used worker is training, and what driver and worker hold after many runs, and after more."""
    looks = Looks(len(plan.runs) // LOOKS)
    with tempfile.TemporaryDirectory() as folder, Engine(plan.dataset, workers=1) as engine:
        train_and_record(plan, engine, new_store(folder), looks)
        waits = default_client().submit(first_epochs_after, plan).result()
    report("a run in a used worker begins its first epoch after", statistics.median(waits), "s", 0.2)
    for who, bar, mebibytes in zip(("driver", "worker"), (600, 1.2 * 1024), zip(*looks.held, strict=True), strict=True):
        levels = ", ".join(f"{level:.0f}" for level in mebibytes)
        print(f"{who} holds after each of {LOOKS} parts of {len(plan.runs)} runs: {levels} MiB")
        report(f"{who} holds at most", max(mebibytes), "MiB", bar)
        report(f"{who} grew over the second half by", 100 * (mebibytes[-1] / mebibytes[LOOKS // 2 - 1] - 1), "%", 5)
    return looks.last


def first_epochs_after(plan: Plan) -> list[float]:
    """Seconds until each variant's first epoch begins, in a worker that has trained it before."""
    from mnist_bench.training.trainer import train  # noqa: PLC0415 - TensorFlow, in the worker alone

    waits = []
    for run in plan.runs[: len(plan.suite.variants)]:
        begun: dict[int, float] = {}
        result = train(run, plan.dataset, on_epoch=lambda epoch, begun=begun: begun.setdefault(epoch, time.time()))
        waits.append(begun[0] - result.started_at)
    return waits


class Looks:
    """Hears of each result: looks every so often at what is held, and keeps the last one."""

    last: RunResult

    def __init__(self, every: int) -> None:
        self._every = every
        self._count = 0
        self.held: list[tuple[float, float]] = []  # MiB of driver and worker

    def __call__(self, result: RunResult) -> None:
        """Another result."""
        self.last = result
        self._count += 1
        if self._count % self._every == 0:
            self.held.append(memory())


def memory() -> tuple[float, float]:
    """MiB that this process holds, and the workers' most."""
    workers = default_client().run(lambda: psutil.Process().memory_info().rss).values()
    return psutil.Process().memory_info().rss / 2**20, max(workers) / 2**20


def a_suite(plan: Plan) -> None:
    """What recording takes of a suite's time, what it holds, and how long it takes to find that all is finished."""
    held: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(folder)
        with Engine(plan.dataset) as engine:
            trained = train_and_record(plan, engine, store, lambda _: held.append(memory()))
        print(f"{plan.suite.name}, {len(plan.runs)} runs on {plan.dataset.name}: {trained.seconds:.1f} s")
        report("recording takes of that", 100 * trained.recording_seconds / trained.seconds, "%", 2)
        driver, worker = zip(*held, strict=True)
        report("its driver holds at most", max(driver), "MiB", 600)
        report("its workers hold at most", max(worker), "MiB", 1.2 * 1024)
        epochs = str(plan.runs[0].recipe.epochs)
        suite = ("--suite", plan.suite.name, "--dataset", plan.dataset.name, "--seeds", "1", "--epochs", epochs)
        took = wall_seconds("run", *suite, "--tracking-uri", store.location.uri)
        report("the same suite, all of it finished, ends after", took, "s", 5)


def recording(plan: Plan, result: RunResult) -> None:
    """What recording costs the driver, and reading the leaderboard of many runs."""
    variants = len(plan.suite.variants)
    runs = make_plan(plan.suite, plan.dataset, seeds=RECORDED // variants).runs
    history = result.history * 10  # as long as a run of ten epochs
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(folder)
        recorder = TimedRecorder(store)
        recorder.prepare(replace(plan, runs=runs).agenda())
        for run in runs:
            recorder.record(replace(result, spec=run, history=history))
        report("recording a run costs the driver", 1000 * statistics.median(recorder.seconds), "ms", 20)
        took = wall_seconds("leaderboard", "--suite", plan.suite.name, "--tracking-uri", store.location.uri)
        report(f"leaderboard over {len(runs)} runs", took, "s", 3)


def recording_beside_workers(plan: Plan) -> None:
    """By how much recording lengthens a suite of short runs, all cores being busy: with it and without, in turn."""
    longer = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder, Engine(plan.dataset) as engine:
            seconds_untold(engine, others(plan, 1000))  # so that each worker has traced each network
            before = seconds_untold(engine, others(plan, 2000))
            recorded = train_and_record(plan, engine, new_store(folder)).seconds
            # On both sides of it, as a machine warms up or tires.
            after = seconds_untold(engine, others(plan, 3000))
            longer.append(recorded / statistics.mean([before, after]) - 1)
    told = ", ".join(f"{share:+.1%}" for share in longer)
    print(f"{len(plan.runs)} dense runs, recorded, against as many that are not: {told} of the time")
    report("recording lengthens them by", 100 * statistics.median(longer), "%", 2)


def others(plan: Plan, first_seed: int) -> list[RunSpec]:
    """A plan's runs with seeds that the workers haven't met."""
    return [run.model_copy(update={"seed": first_seed + run.seed}) for run in plan.runs]


def wall_seconds(*arguments: str) -> float:
    """The median of five calls of the command line, each a whole process."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        command = [sys.executable, "-m", "mnist_bench", *arguments]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - ours
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def report(what: str, figure: float, unit: str, bar: float) -> None:
    """Print one figure beside its bar."""
    print(f"{what} {figure:.2f} {unit} (bar: under {bar:g} {unit})", flush=True)


if __name__ == "__main__":
    main()
