"""A process a run, as benchmarking frameworks such as benchopt have it, start-up being part of each.

As many at a time as there are cores, each with one thread for TensorFlow; in each, plain Keras `fit` with MLflow's
callback.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from peers import keras_fit
from work import ROOT, Told, name_of

from mnist_bench import data
from mnist_bench.execution.engine import CPU_COUNT
from mnist_bench.specs import RunSpec

if TYPE_CHECKING:
    from mnist_bench.execution.plan import Plan

_THREADS = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def run(plan: Plan) -> Told:
    """Train each of the plan's runs in a process of its own."""
    with keras_fit.experiment() as uri, ThreadPoolExecutor(CPU_COUNT) as pool:
        began = time.perf_counter()
        accuracies = list(pool.map(lambda run: _in_a_process(run, uri), plan.runs))
        seconds = time.perf_counter() - began
    return Told(seconds, dict(zip(map(name_of, plan.runs), accuracies, strict=True)))


def _in_a_process(run: RunSpec, uri: str) -> float:
    """Train a run; its test accuracy in percent."""
    paths = [str(ROOT / "benchmarks"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | _THREADS | {"MLFLOW_TRACKING_URI": uri, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "peers.process_a_run"]
    told = subprocess.run(  # noqa: S603 - this module
        command, check=True, input=run.model_dump_json(), stdout=subprocess.PIPE, text=True, env=environment
    )
    return float(told.stdout.split()[-1])


def main() -> None:
    """Train the run on standard input, and print its test accuracy."""
    run = RunSpec.model_validate_json(sys.stdin.read())
    keras_fit.mlflow.set_experiment("fit")
    print(keras_fit.fit(run, data.load(run.dataset.name), {}))


if __name__ == "__main__":
    main()
