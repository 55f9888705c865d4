"""What everything around the training costs, each figure beside the bar that it is held to.

Usage: python benchmarks/overheads.py [--dataset mnist-5k]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
from distributed import default_client

from mnist_bench import data, processor, suites
from mnist_bench.execution.engine import CPU_COUNT, Engine
from mnist_bench.execution.plan import Plan, make_plan
from mnist_bench.tracking import Outbox, Recorder, open_store

if TYPE_CHECKING:
    from mnist_bench.specs import RunResult

RUNS = 100  # by one worker: 8 variants in turn
RECORDED = 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist-5k")
    dataset = data.load(parser.parse_args().dataset)
    print(f"{processor.name()}, {CPU_COUNT} cores; {dataset.name}, {time.strftime('%F')}")
    plan = make_plan(suites.load("ablations", epochs=1), dataset, seeds=RUNS)
    result = training(plan)
    recording(plan, result)
    report("mnist-bench --help", wall_seconds("--help"), "s", 0.3)


def training(plan: Plan) -> RunResult:
    """How soon a used worker is training, and what it holds after many runs."""
    begun: dict[tuple[str, int], float] = {}

    def hear(news: Any) -> None:
        if news["epoch"] == 0:
            begun[news["variant"], news["seed"]] = time.time()

    with Engine(plan.dataset, workers=1, on_progress=hear) as engine:
        results = list(engine.results(plan.runs[:RUNS], {}))
        (memory,) = default_client().run(lambda: psutil.Process().memory_info().rss).values()
    used = results[2 * len(plan.suite.variants) :]  # before that models were traced
    waits = [begun[result.spec.variant, result.spec.seed] - result.started_at for result in used]
    report("a run in a used worker begins its first epoch after", statistics.median(waits), "s", 0.2)
    report(f"a worker holds, after {RUNS} runs of {len(plan.suite.variants)} variants,", memory / 2**30, "GiB", 1.5)
    return results[-1]


def recording(plan: Plan, result: RunResult) -> None:
    """What recording costs the driver, and reading the leaderboard of many runs."""
    variants = len(plan.suite.variants)
    runs = make_plan(plan.suite, plan.dataset, seeds=RECORDED // variants).runs
    history = result.history * 10  # as long as a run of ten epochs
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        store = open_store(uri, create=True)
        recorder = Recorder(store, Outbox(store.location.outbox))
        recorder.prepare(replace(plan, runs=runs).agenda())
        seconds = []
        for run in runs:
            began = time.perf_counter()
            recorder.record(replace(result, spec=run, history=history))
            seconds.append(time.perf_counter() - began)
        report("recording a run costs the driver", 1000 * statistics.median(seconds), "ms", 20)
        took = wall_seconds("leaderboard", "--suite", plan.suite.name, "--tracking-uri", uri)
        report(f"leaderboard over {len(runs)} runs", took, "s", 3)


def wall_seconds(*arguments: str) -> float:
    """The median of five calls of the command line, each a whole process."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        command = [sys.executable, "-m", "mnist_bench", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def report(what: str, figure: float, unit: str, bar: float) -> None:
    """Print one figure beside its bar."""
    print(f"{what} {figure:.2f} {unit} (bar: under {bar:g} {unit})", flush=True)


if __name__ == "__main__":
    main()
