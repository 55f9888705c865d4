"""`mnist-bench leaderboard`."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys

import pytest
from cli.serving import wait_for
from click.testing import CliRunner
from made_up import run_spec
from services import free_port
from tracking.recordings import failed_result, new_store, record, run_result

from mnist_bench.cli.leaderboard import command as leaderboard
from mnist_bench.errors import StoreError
from mnist_bench.tracking import open_store

SPECS = [run_spec(seed=seed, variant=name, options={"name": name}) for seed in (0, 1) for name in ("baseline", "wide")]
RESULTS = [
    run_result(SPECS[0], score=0.90),
    run_result(SPECS[1], score=0.95),
    run_result(SPECS[2], score=0.92),
    failed_result(SPECS[3], "the loss was nan in epoch 1"),
]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("table", "99%, ± 95%"),
        ("csv", "seconds_to_99"),
        ("json", '"seconds_to_99": null'),
        ("markdown", "| – |"),
        ("latex", "& -- &"),
    ],
)
def test_it_ranks_by_seconds_too(store, form, told):
    """None of these reaches 99%, and that is said in each form."""
    shown = _leaderboard(store, "--by", "seconds-to-99", "--format", form)
    assert "91.0" in shown
    assert told in shown


@pytest.fixture
def store(tmp_path_factory, tmp_path):
    store = new_store(tmp_path_factory, tmp_path)
    record(store, SPECS, RESULTS)
    return store


def _leaderboard(store, *options):
    arguments = ["--suite", "made_up", "--tracking-uri", store.location.uri, *options]
    shown = CliRunner().invoke(leaderboard, arguments, catch_exceptions=False)
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout


def test_the_table_says_what_it_is_of(store):
    """Question, dataset, counts and time stand above, failures and what the interval is over below, in 80 columns."""
    shown = _leaderboard(store)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.index("wide") < shown.index("baseline")
    for fact in (
        "made_up on made-up: Which helps?",
        "3 of 4 runs finished; planned ",
        "91.00",
        "91.00 ± 12.71",
        "1/2",
        "wide: +5.00 pp, inconclusive: fewer than two seeds have finished",
        "failed: wide, seed 1: the loss was nan in epoch 1",
        "missing: wide, 1 of 2 pairs: as bad as its worst or as good as its best, they would leave it",
        "the interval of the mean over the seeds",
    ):
        assert fact in " ".join(shown.split())


@pytest.mark.parametrize("suite", ["experiments/made_up.toml", "made_up"])
def test_a_suite_may_be_named_by_its_file(store, suite):
    """What `run` takes as a suite, `leaderboard` takes too."""
    assert "made_up on made-up" in _leaderboard(store, "--suite", suite)


def test_data_formats_are_data_alone(store):
    """JSON and CSV can be read back from the output as it is."""
    assert [row["variant"] for row in json.loads(_leaderboard(store, "--format", "json"))["variants"]] == [
        "wide",
        "baseline",
    ]
    rows = list(csv.DictReader(_leaderboard(store, "--format", "csv").splitlines()))
    assert [float(row["test_accuracy_percent"]) for row in rows] == pytest.approx([95, 91])
    assert _leaderboard(store, "--format", "markdown").startswith("| rank | variant |")


def test_an_unknown_dataset_is_answered_with_the_known(store):
    """What isn't there is refused with what is."""
    with pytest.raises(StoreError, match="known: made-up"):
        _leaderboard(store, "--dataset", "fashion")


def test_before_anything_is_recorded(tmp_path):
    """Where nothing was recorded yet, it says what to run, and makes no store."""
    uri = f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    with pytest.raises(StoreError, match="nothing recorded yet"):
        CliRunner().invoke(leaderboard, ["--suite", "s", "--tracking-uri", uri], catch_exceptions=False)
    assert not list(tmp_path.iterdir())


@contextlib.contextmanager
def _server(folder):
    """MLflow's own server on a free port, with a store in `folder`."""
    port = free_port()
    where = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1", *where]
    log = (folder / "log").open("w")
    server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"})
    try:
        wait_for(port, server, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


@pytest.mark.slow
def test_a_server_is_recorded_to_and_read_from(tmp_path, monkeypatch):
    """Runs recorded on MLflow's server come back from it, models and their deletion included."""
    monkeypatch.chdir(tmp_path)  # where the outbox of a server's runs lies
    with _server(tmp_path) as uri:
        store = open_store(uri, create=True)
        record(store, SPECS, RESULTS)
        shown = _leaderboard(store)
        assert "3 of 4 runs finished" in shown
        assert sorted(path.parent.parent.name for path in tmp_path.rglob("model.keras")) == sorted(
            run.data.tags["best_run_id"] for run in store.runs("1") if "role" in run.data.tags
        )
