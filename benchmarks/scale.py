"""How what everything around the training costs grows with the number of runs.

One run is trained, for one epoch; its result, with other figures, is what workers then give back at once for every
other run, so that Dask, outbox, recorder and store do what they do for real ones. Printed for each tenth of the runs:
what recording costs the driver, what a run costs it in all, Dask's scheduler in the same process included, and how much
of that is the processor's time, which other work on the machine doesn't change. Then what reading costs by then, and
the bytes that a run takes.

Usage: python benchmarks/scale.py [--runs 10000] [--tracking-uri postgresql://…] [--folder DIR]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from work import TimedRecorder, heading

from mnist_bench import data, suites
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.plan import Plan, make_plan
from mnist_bench.execution.runner import run_all
from mnist_bench.execution.worker import reporter
from mnist_bench.tracking import Store, open_store, read_past

if TYPE_CHECKING:
    from mnist_bench.specs import RunResult, RunSpec

BLOCKS = 10
EDGE = 1000  # runs: the first and the last so many are compared
DRIVER_MS, FLAT = 20, 1.5  # the bars
EPOCHS = 10  # as long as a run of the ablations
CALLS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--tracking-uri", help="an empty store; otherwise SQLite in a folder of its own")
    parser.add_argument("--folder", type=Path, help="where that folder is made; otherwise the system's temporary one")
    arguments = parser.parse_args()
    suite = suites.load("ablations", epochs=1)
    plan = make_plan(suite, data.load("mnist-5k"), seeds=-(-arguments.runs // len(suite.variants)))
    plan = replace(plan, runs=plan.runs[: arguments.runs])
    print(heading(f"{len(plan.runs):,} runs of {suite.name}"))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        os.chdir(folder)  # where the artifacts of a database without a server go
        store = open_store(arguments.tracking_uri or f"sqlite:///{folder}/mlruns/mlflow.db", create=True)
        drive(plan, store)
        afterwards(plan, store)


def drive(plan: Plan, store: Store) -> None:
    """All runs through engine and recorder, and what each costs."""
    ends: list[tuple[float, float]] = []  # by the clock, and of the processor's time

    def note(_: RunResult) -> None:
        ends.append((time.perf_counter(), time.process_time()))
        if len(ends) == 1:
            print(f"until the first result, the runs being handed to Dask: {ends[0][0] - began:.1f} s", flush=True)
        elif (len(ends) - 1) % block == 0:
            tell(ends[-block - 1 :], recorder.seconds[-block:], len(ends))

    with Untrained(plan) as engine:
        print(f"a run is {describe(engine.pattern)}", flush=True)
        block = max(1, (len(plan.runs) - 1) // BLOCKS)
        with TimedRecorder(store) as recorder:
            recorder.prepare(plan.agenda())
            began = time.perf_counter()
            run_all(plan.runs, {}, engine=engine, recorder=recorder, on_result=note)
    costs = 1000 * np.diff(np.array(ends), axis=0)  # (runs - 1, 2): milliseconds
    (first, cpu_first), (last, cpu_last) = (part.mean(axis=0) for part in (costs[:EDGE], costs[-EDGE:]))
    told = f"first {EDGE:,} runs {first:.1f} ms each, last {EDGE:,} runs {last:.1f} ms: {last / first:.2f} times"
    print(f"{told} ({cpu_last / cpu_first:.2f} of computing) (bars: under {DRIVER_MS} ms, under {FLAT} times)")
    memory = psutil.Process().memory_info().rss / 2**30
    print(f"the driver holds {memory:.2f} GiB at the end", flush=True)


def tell(ends: list[tuple[float, float]], recording: list[float], until: int) -> None:
    """What the runs between `ends` cost each, the last of them being number `until`."""
    wall, cpu = 1000 * np.diff(np.array(ends), axis=0).mean(axis=0)
    told = f"runs {until - len(recording) + 1:>7,} to {until:>7,}: recording {1000 * np.mean(recording):5.1f} ms a run"
    print(f"{told}, driver in all {wall:5.1f} ms, {cpu:5.1f} ms of them computing", flush=True)


def afterwards(plan: Plan, store: Store) -> None:
    """What reading costs by then, and what is stored."""
    began = time.perf_counter()
    known = len(read_past(store, plan.suite.name, plan.dataset.name).finished())
    print(f"finding the {known:,} runs that are finished takes the next start {time.perf_counter() - began:.1f} s")
    command = [sys.executable, "-m", "mnist_bench", "leaderboard", "--suite", plan.suite.name]
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        environment = os.environ | {"MLFLOW_TRACKING_URI": store.location.uri}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603 - ours
        times.append(time.perf_counter() - began)
    print(f"leaderboard over {known:,} runs: {statistics.median(times):.2f} s, start-up included")
    files = [path.stat().st_size for path in (store.location.folder / "artifacts").rglob("*") if path.is_file()]
    print(f"artifacts: {sum(files) / known / 1000:.0f} kB in {len(files) / known:.1f} files a run")
    print(f"database: {database_bytes(store) / known / 1000:.1f} kB a run", flush=True)


class Untrained(Engine):
    """Workers that give back for each run what they gave for the one that was trained."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.dataset)
        (trained,) = self.results(plan.runs[:1], {})
        self.pattern = replace(trained, history=trained.history * EPOCHS)
        self._pattern = self._client.scatter(self.pattern, broadcast=True)

    def _submit(self, spec: RunSpec, start: Any, priority: int) -> Any:
        if not hasattr(self, "_pattern"):
            return super()._submit(spec, start, priority)
        return self._client.submit(made_up, spec, self._pattern, key=self._task(spec), priority=priority)


def made_up(spec: RunSpec, pattern: RunResult) -> RunResult:
    """A result of `spec` without any training, after the news of progress that a worker gives of each epoch."""
    report = reporter(spec)
    for epoch in range(1 + EPOCHS):
        report(epoch)
    luck = random.Random(spec.key)  # noqa: S311 - figures to be sorted by, no secrets
    history = [{**epoch, "val_accuracy": luck.random()} for epoch in pattern.history]
    metrics = {**pattern.metrics, "test_accuracy": luck.gauss(0.98, 0.002)}
    return replace(pattern, spec=spec, started_at=time.time(), history=tuple(history), metrics=metrics)


def describe(pattern: RunResult) -> str:
    """How much a run has to record."""
    values = sum(map(len, pattern.history)) + len(pattern.metrics)
    files, model = sum(map(len, pattern.artifacts.values())), len(pattern.model or b"")
    return f"{values} values of metrics, {files / 1000:.0f} kB of files, and a model of {model / 1000:.0f} kB"


def database_bytes(store: Store) -> int:
    """How large the database is."""
    if store.location.database:
        return store.location.database.stat().st_size
    import sqlalchemy  # noqa: PLC0415 - here alone

    engine = sqlalchemy.create_engine(store.location.uri)
    with engine.connect() as connection:
        size: int = connection.execute(sqlalchemy.text("SELECT pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return size


if __name__ == "__main__":
    main()
