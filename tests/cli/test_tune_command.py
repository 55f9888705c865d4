"""`mnist-bench tune`, whole: real digits, real workers, real MLflow; also where it is killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from mnist_bench.cli.tune import _storage
from mnist_bench.tracking.location import escaped, locate
from mnist_bench.tuning.study import RUN_KEY, SAME_AS, counts

pytestmark = pytest.mark.slow

SPACE = """
[options]
widths = { layers = { low = 1, high = 3 }, width = { low = 8, high = 64, log = true } }
[recipe]
batch_size = 100
"""


def command(*arguments):
    return [sys.executable, "-m", "mnist_bench", "tune", "--dataset", "mnist-5k", *arguments]


def tune(folder, *arguments):
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, check=False)


def study(folder, name):
    return optuna.load_study(study_name=name, storage=f"sqlite:///{folder}/mlruns/optuna.db")


def recorded(folder, experiment):
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    return client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


MLP = ["--architecture", "mlp", "--space", "space.toml", "--trials", "8", "--epochs", "3", "--top", "1", "--seeds", "2"]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A folder in which a small search was confirmed, and what it said."""
    folder = tmp_path_factory.mktemp("tuned")
    (folder / "space.toml").write_text(SPACE)
    return folder, tune(folder, *MLP)


def test_a_search_tells_what_it_found(tuned):
    """The best, the simplest, where more stops helping, the leaderboard with its verdicts, and what was luck."""
    _, answer = tuned
    assert answer.returncode == 0, answer.stderr
    told = " ".join(answer.stdout.split())
    assert "mlp-mnist-5k: 8 trials," in told
    assert "judged by 400 validation images" in told
    assert "one standard error is" in told
    assert "widths: width:" in told
    assert "baseline" in told
    assert "best in the search" in told
    assert answer.stderr.count("validation ") + answer.stderr.count("pruned (") == 8


def test_a_search_of_the_default_alone_confirms_nothing(tmp_path):
    """The first trial is the architecture's default, and is no variant beside itself."""
    answer = tune(tmp_path, "--architecture", "mlp", "--trials", "1", "--epochs", "1")
    assert answer.returncode == 0, answer.stderr
    told = " ".join(answer.stdout.split())
    assert "the default: trial 0, " in told
    assert told.endswith("there is nothing to confirm.")


def test_the_test_part_plays_no_part_in_the_search(tuned):
    """No trial has a test figure; only the runs that confirm have."""
    folder, _ = tuned
    trials = [run for run in recorded(folder, "tuning/mnist-5k") if "trial" in run.data.tags]
    assert len(trials) == 8
    assert not [name for run in trials for name in run.data.metrics if name.startswith("test")]
    confirming = [run for run in recorded(folder, "mlp-mnist-5k-top/mnist-5k") if "run_key" in run.data.tags]
    assert all("test_accuracy" in run.data.metrics for run in confirming)
    assert {run.data.tags["seed"] for run in confirming} == {"1", "2"}
    assert {run.data.tags["seed"] for run in trials} == {"0"}


def test_the_study_is_a_parent_with_its_pictures(tuned):
    """What Optuna draws, the suite, and the luck stand with it in MLflow."""
    folder, _ = tuned
    (parent,) = [run for run in recorded(folder, "tuning/mnist-5k") if "trial" not in run.data.tags]
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files >= {"history.png", "importances.png", "parallel_coordinates.png", "slices.png", "saturation.png"}
    assert "mlp-mnist-5k-top.toml" in files
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["luck"].startswith("best in the search")
    assert parent.data.metrics["best_val_accuracy"] == study(folder, "mlp-mnist-5k").best_value


def test_the_winner_is_a_suite(tuned):
    """`run --suite` takes the file as it is, and finds all of it trained."""
    folder, _ = tuned
    arguments = ["run", "--suite", "mlruns/tuned/mlp-mnist-5k-top.toml", "--dataset", "mnist-5k"]
    answer = subprocess.run(
        [sys.executable, "-m", "mnist_bench", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert ", 0 of them to do." in answer.stderr


def test_running_again_trains_nothing_again(tuned):
    """The total is reached, and the confirming runs are there."""
    folder, before = tuned
    answer = tune(folder, *MLP, "-q")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == before.stdout


def test_the_study_lies_beside_the_store_whatever_its_folder_is_called(tmp_path):
    """A question mark begins the query of a database's address, unless it is escaped."""
    folder = tmp_path / "why?"
    url = _storage(locate(f"sqlite:///{escaped(folder / 'mlflow.db')}"))
    optuna.create_study(storage=url)
    assert (folder / "optuna.db").exists()


def test_optunas_own_command_line_opens_the_study(tuned):
    """It is an ordinary study."""
    folder, _ = tuned
    listed = subprocess.run(
        [Path(sys.executable).with_name("optuna"), "studies", "--storage", "sqlite:///mlruns/optuna.db"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (listed.returncode, "mlp-mnist-5k" in listed.stdout) == (0, True), listed.stderr


KILLED = ["--architecture", "logistic_regression", "--trials", "12", "--epochs", "2", "--top", "1", "--seeds", "3"]


def begun(folder):
    """Whether a search has asked for its first trial."""
    address = f"file:{folder}/mlruns/optuna.db?mode=ro"
    missing = contextlib.suppress(sqlite3.OperationalError)  # the database, or its tables
    with missing, contextlib.closing(sqlite3.connect(address, uri=True)) as base:
        return base.execute("SELECT count(*) FROM trials").fetchone()[0] > 0
    return False


def killed_after(folder, ended, delay_seconds):
    """Begin a search, or go on with it, and kill it by SIGKILL once it tells of so many ended trials, or of more.

    Of none: once the first is under way.
    """
    with subprocess.Popen(command(*KILLED), cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        line = ""
        while not (ended or begun(folder)) and process.poll() is None:
            time.sleep(0.05)
        for line in process.stderr if ended else ():
            told = re.match(r"(\d+)/", line)  # not of each number: a trial that repeats one ends without a line
            if told and int(told[1]) >= ended:
                break
        time.sleep(delay_seconds)
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stderr.read()
    assert process.returncode == -signal.SIGKILL, line + rest


def test_a_killed_search_loses_no_trial_and_repeats_none(tmp_path):
    """Killed five times, before the first trial's end and while the best is confirmed too, it has all of them once."""
    delays = np.random.default_rng(0).uniform(0, 0.3, 5)
    had = {}
    for ended, delay in zip((0, 2, 5, 9, 12), [*delays[:4], 2 + delays[4]], strict=True):
        killed_after(tmp_path, ended, delay)
        now = {t.number: t.value for t in study(tmp_path, "logistic_regression-mnist-5k").trials if counts(t)}
        assert had.items() <= now.items()
        had = now
    answer = tune(tmp_path, *KILLED)
    assert answer.returncode == 0, answer.stderr
    trials = study(tmp_path, "logistic_regression-mnist-5k").trials
    ended = [trial for trial in trials if counts(trial)]
    assert had.items() <= {trial.number: trial.value for trial in ended}.items()
    assert len(ended) == 12
    assert not [trial for trial in trials if trial.state == TrialState.RUNNING]
    trained = [trial for trial in ended if SAME_AS not in trial.user_attrs]
    assert len(trained) == len({trial.user_attrs[RUN_KEY] for trial in trained})
    children = [run for run in recorded(tmp_path, "tuning/mnist-5k") if "trial" in run.data.tags]
    assert sorted(int(run.data.tags["trial"]) for run in children) == [trial.number for trial in trained]
    assert "RUNNING" not in {run.info.status for run in children}
    confirming = recorded(tmp_path, "logistic_regression-mnist-5k-top/mnist-5k")
    assert {run.info.status for run in confirming} == {"FINISHED"}
    names = sorted(run.info.run_name for run in confirming if "run_key" in run.data.tags)
    assert names == [f"{variant} seed {seed}" for variant in ("baseline", "top_1") for seed in (1, 2, 3)]
