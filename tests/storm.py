"""Faults of all kinds, at random times, sent through small suites; afterwards nothing may be lost, doubled or RUNNING.

As a script (`make faults`) it sends many and prints what came of them; `tests/test_storm.py` sends a few.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click
import made_up
import numpy as np
import psutil
from proxy import Proxy
from services import free_port

from mnist_bench import processor
from mnist_bench.cli import cli as mnist_bench
from mnist_bench.tracking import locate, open_store

SUITE = """
question = "Does anything get lost?"
cost = "seconds"
seeds = {seeds}
[baseline]
architecture = "mlp"
options = {{widths = [8]}}
recipe = {{epochs = {epochs}, batch_size = 8}}
[variants.wide]
options = {{widths = [16]}}
[variants.onward]
start_from = "baseline"
recipe = {{epochs = 2}}
"""
VARIANTS = 3
# What differs from one time to the next.
OF_THE_MOMENT = {"planned_at", "seconds_a_run"}

EVERYWHERE = [
    "worker killed",
    "worker frozen",
    "worker out of memory",
    "driver killed",
    "driver terminated",
    "driver interrupted",
    "second driver",
    "disk full",
    "outbox littered",
]
ON_A_FILE = ["database locked"]
ON_A_SERVER = ["server killed", "server refuses", "server answers 500", "server slow", "server drops answers"]


class Trial:
    """One suite in a folder of its own, and its driver; `server`: whether an MLflow server keeps the store."""

    lock_seconds = (1, 2, 3, 23)  # MLflow waits for 20 s

    def __init__(self, folder, generator, *, server, seeds, epochs):
        self.folder, self._generator, self._server = Path(folder), generator, server
        dataset = made_up.images()
        arrays = {"x_train": dataset.train_images, "y_train": dataset.train_labels}
        arrays |= {"x_test": dataset.test_images, "y_test": dataset.test_labels}
        self.folder.mkdir(parents=True)
        np.savez(self.folder / "images.npz", **arrays)
        (self.folder / "storm.toml").write_text(SUITE.format(seeds=seeds, epochs=epochs))
        self.planned = VARIANTS * seeds
        self.drivers, self.said, self._readers = [], [], []
        self._process = self._proxy = None
        self.uri = f"sqlite:///{self.folder}/mlruns/mlflow.db"
        if server:
            self._port = free_port()
            self._start_server()
            self._proxy = Proxy(self._port)
            self.uri = f"http://127.0.0.1:{self._proxy.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in [*self.drivers, self._process]:
            if process is not None and process.poll() is None:
                stop_group(process)
        if self._proxy:
            self._proxy.close()
        for reader in self._readers:
            reader.join(timeout=10)
        for driver in self.drivers:
            driver.stderr.close()
        (self.folder / "said.log").write_text("".join(self.said))

    def command(self, *words):
        return [sys.executable, "-m", "mnist_bench", *words, "--tracking-uri", self.uri]

    def start(self):
        """Begin the same command once more."""
        words = ["run", "--suite", "storm.toml", "--dataset", "images.npz", "--workers", "2", "--run-timeout", "10"]
        driver = subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        reader = threading.Thread(target=lambda: self.said.extend(driver.stderr))
        reader.start()
        self._readers.append(reader)
        self.drivers.append(driver)

    @property
    def running(self):
        return [driver for driver in self.drivers if driver.poll() is None]

    @property
    def underway(self):
        """Whether a driver trains: only then is a fault more than a failed start."""
        return any(workers_of(driver) for driver in self.running)

    def kinds(self):
        return EVERYWHERE + (ON_A_SERVER if self._server else ON_A_FILE)

    def strike(self, kind):
        """Let a fault happen, if it can at this moment."""
        if not self.running:
            return False
        driver = self._generator.choice(self.running)
        what, _, how = kind.partition(" ")
        strikes = {
            "worker": lambda: self._strike_worker(driver, how),
            "driver": lambda: self._strike_driver(driver, how),
            "second": lambda: len(self.running) == 1 and self.start() is None,
            "disk": lambda: self._fill_disk(driver),
            "outbox": self._litter,
            "database": self._lock_database,
            "server": lambda: self._strike_server(how),
        }
        return strikes[what]()

    def finish(self, limit_seconds):
        """Wait for the drivers, and give the command again until it says that all is well; how often that took."""
        deadline = time.monotonic() + limit_seconds
        for attempts in range(10):
            while self.running and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.running:
                raise TimeoutError(f"still running after {limit_seconds} s: {''.join(self.said[-20:])}")
            if self.drivers[-1].returncode == 0:
                return attempts
            self.start()
        raise AssertionError(f"the command never ended well: {''.join(self.said[-20:])}")

    def outcome(self):
        """What is wrong now: runs lost, recorded twice, RUNNING, left in the outbox; and what the leaderboard says."""
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()):
            mnist_bench.main(["sync", "--tracking-uri", self.uri], standalone_mode=False)  # what was littered last
        client = open_store(self.uri).client
        runs = client.search_runs([found.experiment_id for found in client.search_experiments()], max_results=10_000)
        finished = [run.data.tags for run in runs if "run_key" in run.data.tags and run.info.status == "FINISHED"]
        times = Counter((tags["mlflow.parentRunId"], tags["run_key"]) for tags in finished)
        tags = [tag for found in client.search_experiments() for tag in found.tags if tag.startswith("lease.")]
        wrong = {
            "lost": self.planned - len(times),
            "twice": sum(many - 1 for many in times.values()),
            "RUNNING": sum(run.info.status == "RUNNING" for run in runs),
            "waiting": len(list(self.folder.glob("mlruns/outbox*/*.zip"))),
            "leases": len(tags),
            "tracebacks": sum("Traceback" in line for line in self.said),
        }
        return {name: many for name, many in wrong.items() if many}, self.leaderboard()

    def leaderboard(self):
        words = ["leaderboard", "--suite", "storm", "--format", "json", "--tracking-uri", self.uri]
        with contextlib.redirect_stdout(io.StringIO()) as told:
            mnist_bench.main(words, standalone_mode=False)
        return json.loads(
            told.getvalue(), object_hook=lambda it: {k: v for k, v in it.items() if k not in OF_THE_MOMENT}
        )

    def _strike_worker(self, driver, how):
        workers = workers_of(driver)
        if not workers:
            return False
        worker = self._generator.choice(workers)
        with contextlib.suppress(psutil.NoSuchProcess):
            if how == "out of memory":
                worker.rlimit(resource.RLIMIT_AS, (worker.memory_info().vms + 2**16,) * 2)
            else:
                worker.send_signal(signal.SIGSTOP if how == "frozen" else signal.SIGKILL)
        return True

    @staticmethod
    def _strike_driver(driver, how):
        if how == "killed":
            driver.kill()
        elif how == "terminated":
            driver.terminate()
        else:
            os.killpg(driver.pid, signal.SIGINT)  # as a terminal does
        return True

    def _fill_disk(self, driver):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(driver.pid)
            _, most = process.rlimit(resource.RLIMIT_FSIZE)
            process.rlimit(resource.RLIMIT_FSIZE, (0, most))
            time.sleep(self._generator.uniform(0.5, 3))
            process.rlimit(resource.RLIMIT_FSIZE, (most, most))
        return True

    def _litter(self):
        folder = self.folder / "mlruns" / locate(self.uri).outbox.name
        folder.mkdir(parents=True, exist_ok=True)
        name = f"17000000-{self._generator.randbytes(8).hex()}-{self._generator.randbytes(4).hex()}.zip"
        name = self._generator.choice([name, f".{name}", "notes.txt"])
        (folder / name).write_bytes(self._generator.randbytes(200))
        return True

    def _lock_database(self):
        path = self.folder / "mlruns" / "mlflow.db"
        if not path.exists():
            return False
        with (
            contextlib.closing(sqlite3.connect(path, timeout=5)) as database,
            contextlib.suppress(sqlite3.OperationalError),
        ):
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(self._generator.choice(self.lock_seconds))
        return True

    def _strike_server(self, how):
        if how == "killed":
            stop_group(self._process)
            time.sleep(self._generator.uniform(0, 3))
            self._start_server()
        else:
            self._proxy.mode = how
            time.sleep(self._generator.uniform(1, 8))
            self._proxy.mode = "forwards"
        return True

    def _start_server(self):
        words = ["server", "--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        words += ["--artifacts-destination", f"{self.folder}/artifacts"]
        environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            time.sleep(0.2)
        raise TimeoutError("MLflow's server does not start")


def workers_of(driver):
    """The processes that train for a driver: those that its fork server has forked."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        for child in psutil.Process(driver.pid).children():
            if any("forkserver" in word for word in child.cmdline()):
                return child.children()
    return []


def stop_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def storm(trial, kinds, generator, *, pause_seconds=(0.1, 1.5)):
    """Send faults through a suite while it runs; those that found it finished already are not counted.

    Returns:
        the kinds of the faults that happened.
    """
    happened = []
    trial.start()
    for kind in kinds:
        deadline = time.monotonic() + 60
        while trial.running and not trial.underway and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(generator.uniform(*pause_seconds))
        if not trial.running:
            if trial.drivers[-1].returncode == 0:
                return happened  # all is trained
            trial.start()
        if trial.strike(kind):
            happened.append(kind)
    return happened


def race(folder, generator):
    """Two drivers that begin at once where there is no store yet: what is wrong afterwards."""
    with Trial(folder, generator, server=False, seeds=1, epochs=1) as trial:
        trial.start()
        trial.start()
        deadline = time.monotonic() + 300
        while trial.running and time.monotonic() < deadline:
            time.sleep(0.1)
        wrong, _ = trial.outcome()
        return wrong | ({} if [driver.returncode for driver in trial.drivers] == [0, 0] else {"exits": 1})


@click.group()
def cli():
    """Send faults through suites."""


@cli.command()
@click.option("--starts", default=50, show_default=True)
def two(starts):
    """Let two drivers begin at once on one store, so many starts in all."""
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="storm-"))
    wrong = sum((Counter(race(folder / str(turn), random.Random(turn))) for turn in range(starts // 2)), Counter())
    minutes = (time.monotonic() - began) / 60
    click.echo(f"{starts} starts, two at once on a new store: {dict(wrong) or 'no collision'}; {minutes:.0f} min")
    sys.exit(bool(wrong))


@cli.command()
@click.option("--faults", default=100, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--suite-seeds", default=12, show_default=True, help="Seeds a suite: three variants each.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where the suites are left, to be looked into.")
def many(faults, seed, suite_seeds, keep):
    """Send faults through suites, on a file and on a server in turn, and say what came of it."""
    began, generator, sent = time.monotonic(), random.Random(seed), []
    folder = keep or Path(tempfile.mkdtemp(prefix="storm-"))
    size = {"seeds": suite_seeds, "epochs": 60}
    with Trial(folder / "calm", generator, server=False, **size) as calm:
        calm.start()
        calm.finish(300)
        wrong, expected = calm.outcome()
        assert not wrong, wrong
    total, suites, differing = Counter(), 0, 0
    while len(sent) < faults:
        with Trial(folder / f"storm-{suites}", generator, server=suites % 2 == 1, **size) as trial:
            left = faults - len(sent)
            kinds = generator.sample(trial.kinds(), len(trial.kinds()))[:left]
            happened = storm(trial, kinds, generator)
            again = trial.finish(600)
            wrong, board = trial.outcome()
        sent += happened
        total += Counter(wrong)
        differs = board != expected
        differing += differs
        click.echo(
            f"suite {suites}: {', '.join(happened)}; then {again} times; {wrong or 'nothing wrong'}"
            f"{', ANOTHER LEADERBOARD' if differs else ''}"
        )
        suites += 1
    minutes = (time.monotonic() - began) / 60
    counts = ", ".join(f"{name} {total[name]}" for name in ("lost", "twice", "RUNNING", "tracebacks"))
    click.echo(
        f"{len(sent)} faults in {suites} suites of {VARIANTS * suite_seeds} runs (seed {seed}): {counts}, "
        f"other leaderboards {differing}; {minutes:.0f} min, {processor.name()}, {datetime.now(UTC):%Y-%m-%d}"
    )
    click.echo(", ".join(f"{kind} {many}" for kind, many in sorted(Counter(sent).items())))
    sys.exit(bool(total or differing))


if __name__ == "__main__":
    cli()
