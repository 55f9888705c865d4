"""The compose file's services as plain processes on this machine: a suite and a search on them, while parts fail.

PostgreSQL, MLflow's server with its users, Optuna's dashboard, a Dask scheduler and three workers, each by the command
line that the compose file has. PostgreSQL is taken from the PATH or from where Debian puts it; without it
this is skipped, and fails in `.ci/run`.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys

import optuna
import pytest
import services
from compose import ROOT, Service, command_line, environment, status
from mlflow import MlflowClient

pytestmark = pytest.mark.slow

SECRETS = {
    "POSTGRES_PASSWORD": services.PASSWORD,
    "MLFLOW_DATABASE_PASSWORD": "mlflow's & own",
    "OPTUNA_DATABASE_PASSWORD": "optunas-own",
    "MLFLOW_ADMIN_PASSWORD": "long enough for MLflow",
    "MLFLOW_SECRET_KEY": "signs its cookies",
}
SUITE = """
question = "Does a hidden layer help?"
cost = "seconds"
seeds = 4
[baseline]
architecture = "logistic_regression"
recipe = { epochs = 5 }
[variants.hidden]
architecture = "mlp"
options = { widths = [16] }
"""
SPACE = """
replace = true
[options]
widths = { layers = 1, width = 16 }
[recipe]
learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""
TRIALS = 6


class Cluster:
    """All that the compose file starts, on ports of its own."""

    def __init__(self, folder, postgres):
        self.folder, self._started = folder, []
        names = ("mlflow", "dashboard", "scheduler", "pages")
        self.ports = dict(zip(names, (services.free_port() for _ in names), strict=True)) | {"postgres": postgres}
        self.changes = {
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - what it is changed from
            "@postgres/": f"@127.0.0.1:{postgres}/",
            ":5000": f":{self.ports['mlflow']}",
            "port=5000": f"port={self.ports['mlflow']}",
            "port=8080": f"port={self.ports['dashboard']}",
            "port=8786": f"port={self.ports['scheduler']}",
            "scheduler:8786": f"127.0.0.1:{self.ports['scheduler']}",
            ":8787": f"127.0.0.1:{self.ports['pages']}",
            ":8789": "127.0.0.1:0",
            "=/tmp": f"={folder}",
            "/srv/mlflow": f"{folder}/mlflow",
            "/srv/dashboard.py": f"{ROOT}/deploy/dashboard.py",
        }
        (folder / "mlflow").mkdir()
        users = (ROOT / "deploy" / "mlflow-auth.ini").read_text()
        (folder / "mlflow-auth.ini").write_text(users.replace("/srv/mlflow", f"{folder}/mlflow"))

    def start(self, service):
        log = self.folder / f"{service}.log"
        given = environment(service, self.changes, SECRETS)
        self._started.append(Service(command_line(service, self.changes), log, given, cwd=self.folder))
        return self._started[-1]

    def url(self, part, page=""):
        return f"http://127.0.0.1:{self.ports[part]}{page}"

    def start_all(self):
        self.mlflow = self.start("mlflow")
        dashboard, scheduler = self.start("dashboard"), self.start("scheduler")
        scheduler.answers(self.url("pages", "/health"))
        self.workers = [self.start("worker"), self.start("worker")]
        dashboard.answers(self.url("dashboard", "/dashboard"))
        self.mlflow.answers(self.url("mlflow", "/health"))

    def restart_mlflow(self):
        self.mlflow.stop()
        self.mlflow = self.start("mlflow")

    def stop(self):
        for part in self._started:
            part.stop(signal.SIGKILL)

    def user(self):
        """The environment of somebody who uses it."""
        return os.environ | {
            "MLFLOW_TRACKING_URI": self.url("mlflow"),
            "MLFLOW_TRACKING_USERNAME": "admin",
            "MLFLOW_TRACKING_PASSWORD": SECRETS["MLFLOW_ADMIN_PASSWORD"],
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "6",  # one and a half minutes
            "PGPASSWORD": SECRETS["OPTUNA_DATABASE_PASSWORD"],
        }

    def bench(self, *arguments, folder=None):
        """`mnist-bench` with these arguments, begun."""
        command = [sys.executable, "-m", "mnist_bench", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=folder or self.folder, env=self.user(), **pipes)


@pytest.fixture(scope="module")
def cluster(postgresql_port, tmp_path_factory):
    """Started, with MLflow's and Optuna's databases."""
    folder = tmp_path_factory.mktemp("cluster")
    services.run_sql(postgresql_port, ROOT / "deploy" / "databases.sql", SECRETS)
    cluster = Cluster(folder, postgresql_port)
    try:
        cluster.start_all()
        yield cluster
    finally:
        cluster.stop()


def finished(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out, err


def test_the_server_lets_in_whom_it_knows(cluster):
    """Neither somebody without an account, nor a browser that was led there by another name."""
    page = cluster.url("mlflow", "/api/2.0/mlflow/experiments/search?max_results=1")
    known = base64.b64encode(f"admin:{SECRETS['MLFLOW_ADMIN_PASSWORD']}".encode()).decode()
    assert status(page, Authorization=f"Basic {known}") == 200
    assert status(page) == 401
    assert status(page, Authorization=f"Basic {known}", Host="elsewhere.example") == 403


def test_a_suite_survives_a_worker_and_the_server(cluster):
    """A worker is killed, another comes late, and MLflow's server is started again: every run is there, once."""
    (cluster.folder / "small.toml").write_text(SUITE)
    at = ("--scheduler", f"tcp://127.0.0.1:{cluster.ports['scheduler']}")
    run = cluster.bench("run", "--suite", "small.toml", "--dataset", "mnist-5k", "--verbose", *at)
    heard = []
    while not heard or not heard[-1].startswith("1/8"):
        heard.append(run.stderr.readline())
        assert heard[-1], heard
    cluster.workers.pop(0).stop(signal.SIGKILL)
    cluster.workers.append(cluster.start("worker"))
    cluster.restart_mlflow()
    finished(run)
    assert f"Dask's dashboard: http://127.0.0.1:{cluster.ports['pages']}" in "".join(heard)

    elsewhere = cluster.folder / "elsewhere"
    elsewhere.mkdir()
    told, _ = finished(cluster.bench("leaderboard", "--suite", "small", "--format", "json", folder=elsewhere))
    board = json.loads(told)["variants"]
    assert {row["variant"]: (row["finished"], row["failed"]) for row in board} == {"baseline": (4, 0), "hidden": (4, 0)}
    assert list(elsewhere.iterdir()) == []


def test_every_run_says_whose_it_was_and_has_its_files(cluster, monkeypatch):
    """Read through the server by MLflow's own client, artifacts included; nothing is there twice."""
    for name, value in cluster.user().items():
        monkeypatch.setenv(name, value)
    client = MlflowClient(cluster.url("mlflow"))
    experiment = client.get_experiment_by_name("small/mnist-5k")
    runs = [run for run in client.search_runs([experiment.experiment_id]) if "run_key" in run.data.tags]
    names = [f"{variant} seed {seed}" for variant in ("baseline", "hidden") for seed in range(4)]
    assert sorted(run.info.run_name for run in runs) == names
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.data.tags["mlflow.user"] and run.data.tags["host"] for run in runs)
    assert "curves.png" in {file.path for file in client.list_artifacts(runs[0].info.run_id)}


def test_a_search_keeps_its_study_in_the_database(cluster):
    """On the same workers; Optuna's dashboard has it then."""
    (cluster.folder / "space.toml").write_text(SPACE)
    storage = f"postgresql://optuna@127.0.0.1:{cluster.ports['postgres']}/optuna"
    found = ("--space", "space.toml", "--trials", str(TRIALS), "--epochs", "2", "--top", "0", "--storage", storage)
    at = ("--scheduler", f"tcp://127.0.0.1:{cluster.ports['scheduler']}")
    finished(cluster.bench("tune", "--architecture", "mlp", "--dataset", "mnist-5k", *found, *at))
    owned = storage.replace("optuna@", f"optuna:{SECRETS['OPTUNA_DATABASE_PASSWORD']}@")
    kept = optuna.storages.RDBStorage(owned)
    study = optuna.load_study(study_name="mlp-mnist-5k", storage=kept)
    assert {trial.state.name for trial in study.trials} <= {"COMPLETE", "PRUNED"}
    assert len(study.trials) == TRIALS
    kept.engine.dispose()
    assert status(cluster.url("dashboard", "/api/studies")) == 200
