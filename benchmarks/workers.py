"""How much faster two workers are than one: the CNN of the ablations, the same runs, each worker warm.

Start-up and tracing are left out: each worker has trained the network once before the clock runs.

Usage: python benchmarks/workers.py [--dataset mnist-5k] [--epochs 3] [--runs 8] [--workers 2]
"""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING

from work import heading, seconds_untold

from mnist_bench import data, suites
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.plan import make_plan

if TYPE_CHECKING:
    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunSpec

BAR = 1.9
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist-5k")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    dataset, many = data.load(arguments.dataset), arguments.workers
    suite = suites.load("ablations", epochs=arguments.epochs)
    runs = make_plan(suite, dataset, seeds=arguments.runs, only=["baseline"]).runs
    print(heading(f"{len(runs)} runs on {dataset.name}"), flush=True)
    ratios = []
    for _ in range(ROUNDS):  # in turn, so that both meet the same machine
        one, several = (seconds(dataset, runs, workers) for workers in (1, many))
        ratios.append(one / several)
        print(f"1 worker {one:.1f} s, {many} workers {several:.1f} s: {ratios[-1]:.2f} times as fast", flush=True)
    print(f"median {statistics.median(ratios):.2f} times (bar for 2 workers on 2 cores: at least {BAR})")


def seconds(dataset: Dataset, runs: tuple[RunSpec, ...], workers: int) -> float:
    """From the first run's dispatch to the last one's result."""
    with Engine(dataset, workers=workers) as engine:
        warm = [run.model_copy(update={"seed": 1000 + place}) for place, run in enumerate(runs[:1] * workers)]
        seconds_untold(engine, warm)
        return seconds_untold(engine, runs)


if __name__ == "__main__":
    main()
