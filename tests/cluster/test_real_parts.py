"""The compose file's services as plain processes on this machine: the ablations and a search on them, while parts fail.

PostgreSQL, MLflow's server with its users, Optuna's dashboard, a Dask scheduler and three workers, each by the command
line that the compose file has. PostgreSQL is taken from the PATH or from where Debian puts it; without it
this is skipped, and fails in `.ci/run`.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import optuna
import pytest
import services
from compose import ROOT, SERVICES, Service, command_line, environment, health_check, on_the_path, status
from mlflow import MlflowClient

from mnist_bench import suites
from mnist_bench.tracking import artifacts, fetch_model, open_store
from mnist_bench.tuning.study import SAME_AS

pytestmark = pytest.mark.slow

SECRETS = {
    "POSTGRES_PASSWORD": services.PASSWORD,
    "MLFLOW_DATABASE_PASSWORD": "mlflow's & own",
    "OPTUNA_DATABASE_PASSWORD": "optunas-own",
    "MLFLOW_ADMIN_PASSWORD": "long enough for MLflow",
    "MLFLOW_SECRET_KEY": "signs its cookies",
}
KNOWN = {"Authorization": f"Basic {base64.b64encode(b'admin:' + SECRETS['MLFLOW_ADMIN_PASSWORD'].encode()).decode()}"}
VARIANTS = [variant.name for variant in suites.load("ablations").variants]
SEEDS = 2
RUNS = len(VARIANTS) * SEEDS
SPACE = """
replace = true
[options]
widths = { layers = 1, width = 16 }
[recipe]
learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""
TRIALS = 20


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
            "localhost:8080": f"127.0.0.1:{self.ports['dashboard']}",
            "port=8786": f"port={self.ports['scheduler']}",
            "scheduler:8786": f"127.0.0.1:{self.ports['scheduler']}",
            "=:8787": f"=127.0.0.1:{self.ports['pages']}",
            "localhost:8787": f"127.0.0.1:{self.ports['pages']}",
            "=/tmp": f"={folder}",
            "/srv/mlflow": f"{folder}/mlflow",
            "/srv/dashboard.py": f"{ROOT}/deploy/dashboard.py",
            "/srv/healthy.py": f"{ROOT}/deploy/healthy.py",
        }
        (folder / "mlflow").mkdir()
        users = (ROOT / "deploy" / "mlflow-auth.ini").read_text()
        (folder / "mlflow-auth.ini").write_text(users.replace("/srv/mlflow", f"{folder}/mlflow"))

    def start(self, service):
        log = self.folder / f"{service}.log"
        page = f"127.0.0.1:{services.free_port()}"  # a worker's: there each has a machine of its own
        self.changes |= {"=:8789": f"={page}", "localhost:8789": page}
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

    def health(self, service):
        """The exit status of a service's health check, as the compose file has it; of the worker that came last."""
        command = health_check(service, self.changes)
        if service == "postgres":
            command[0] = services.program(command[0])
        around = on_the_path() | {"PGPORT": str(self.ports["postgres"])}
        return subprocess.run(command, env=around, check=False, capture_output=True).returncode

    def user(self, name="admin"):
        """The environment of somebody who uses it."""
        return os.environ | {
            "MLFLOW_TRACKING_URI": self.url("mlflow"),
            "MLFLOW_TRACKING_USERNAME": name,
            "MLFLOW_TRACKING_PASSWORD": SECRETS["MLFLOW_ADMIN_PASSWORD"],
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


@pytest.fixture
def client(cluster, monkeypatch):
    """MLflow's own, as somebody who has an account."""
    for name, value in cluster.user().items():
        monkeypatch.setenv(name, value)
    return MlflowClient(cluster.url("mlflow"))


def finished(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out, err


def wait_for(process, line):
    """Read what a process says until a line begins so; all that it said."""
    heard = [""]
    while not heard[-1].startswith(line):
        heard.append(process.stderr.readline())
        assert heard[-1], heard
    return "".join(heard)


def at(cluster):
    return ("--scheduler", f"tcp://127.0.0.1:{cluster.ports['scheduler']}")


def tagged(client, experiment, tag):
    """The runs of an experiment that have a tag."""
    found = client.get_experiment_by_name(f"{experiment}/mnist-5k")
    return [run for run in client.search_runs([found.experiment_id]) if tag in run.data.tags]


def files(client, run):
    return {file.path for file in client.list_artifacts(run.info.run_id)}


@pytest.fixture(scope="module")
def told(cluster):
    """What was said of the ablations while a worker was killed, another came, and MLflow's server was started again."""
    of = ("--suite", "ablations", "--dataset", "mnist-5k", "--seeds", str(SEEDS), "--epochs", "1", "--verbose")
    run = cluster.bench("run", *of, *at(cluster))
    begun = wait_for(run, f"4/{RUNS}")
    cluster.workers.pop(0).stop(signal.SIGKILL)
    cluster.workers.append(cluster.start("worker"))
    cluster.restart_mlflow()
    _, rest = finished(run)
    return begun + rest


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_runs_is_healthy(cluster, service):
    """By its own health check, as the compose file has it."""
    assert cluster.health(service) == 0


def test_where_nothing_answers_nobody_is_healthy():
    """Else the checks above would show nothing."""
    command = [sys.executable, ROOT / "deploy" / "healthy.py", f"http://127.0.0.1:{services.free_port()}/health"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


def test_another_account_works_beside_the_first(cluster, client, monkeypatch):
    """It records in the first one's experiment, and deletes there a model that its own surpasses."""
    account = json.dumps({"username": "another", "password": SECRETS["MLFLOW_ADMIN_PASSWORD"]}).encode()
    page = cluster.url("mlflow", "/api/2.0/mlflow/users/create")
    asked = urllib.request.Request(page, account, KNOWN | {"Content-Type": "application/json"})  # noqa: S310 - ours
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        assert answer.status == 200
    experiment = client.create_experiment("the first one's")
    surpassed = client.create_run(experiment)
    artifacts.upload(open_store(cluster.url("mlflow")), surpassed.info.artifact_uri, {artifacts.MODEL: b"PK"})
    assert files(client, surpassed) == {artifacts.MODEL}
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "another")
    artifacts.delete_model(open_store(cluster.url("mlflow")), surpassed.info.artifact_uri)
    assert files(client, surpassed) == set()
    assert client.create_run(experiment).info.status == "RUNNING"


def test_the_server_lets_in_whom_it_knows(cluster):
    """Neither somebody without an account, nor a browser that was led there by another name."""
    page = cluster.url("mlflow", "/api/2.0/mlflow/experiments/search?max_results=1")
    assert status(page, **KNOWN) == 200
    assert status(page) == 401
    assert status(page, **KNOWN, Host="elsewhere.example") == 403


def test_the_server_answers_at_once_on_a_kept_connection(cluster):
    """The quickest answer takes less than the 40 ms for which an acknowledgement may be delayed."""
    seconds = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", cluster.ports["mlflow"])) as connection:
        for _ in range(10):
            began = time.perf_counter()
            connection.request("GET", "/api/2.0/mlflow/experiments/search?max_results=1", headers=KNOWN)
            with connection.getresponse() as answer:
                assert answer.status == 200
                answer.read()
            seconds.append(time.perf_counter() - began)
    assert min(seconds[1:]) < 0.04  # of the first nothing is delayed


def test_the_ablations_survive_a_worker_and_the_server(cluster, told, tmp_path):
    """The leaderboard has every run, read from the server in an empty folder, which stays empty."""
    assert f"Dask's dashboard: http://127.0.0.1:{cluster.ports['pages']}" in told
    assert f"{RUNS} runs finished and 0 failed" in told
    board, _ = finished(cluster.bench("leaderboard", "--suite", "ablations", "--format", "json", folder=tmp_path))
    rows = json.loads(board)["variants"]
    assert {row["variant"]: (row["finished"], row["failed"]) for row in rows} == dict.fromkeys(VARIANTS, (SEEDS, 0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("told")
def test_every_run_says_whose_it_was_and_has_its_files(cluster, client):
    """Read through the server by MLflow's own client; nothing is there twice, and each variant kept one model."""
    runs = tagged(client, "ablations", "run_key")
    assert sorted(run.info.run_name for run in runs) == sorted(f"{v} seed {s}" for v in VARIANTS for s in range(SEEDS))
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.data.tags["mlflow.user"] and run.data.tags["host"] for run in runs)
    theirs = {run.info.run_id: files(client, run) for run in runs}
    assert all({"curves.png", "confusion.json", "predictions.npz"} <= each for each in theirs.values())
    best = {run.data.tags["best_run_id"] for run in tagged(client, "ablations", "best_run_id")}
    assert {run_id for run_id, each in theirs.items() if "model.keras" in each} == best
    assert len(best) == len(VARIANTS)
    assert fetch_model(open_store(cluster.url("mlflow")), best.pop())[:2] == b"PK"  # a zip archive, as Keras makes it


@pytest.mark.usefixtures("told")
def test_report_and_claims_need_the_server_alone(cluster, client, tmp_path):
    """In an empty folder: the page is all that is left there, and it is among the baseline's files on the server."""
    finished(cluster.bench("report", "--suite", "ablations", folder=tmp_path))
    (page,) = tmp_path.iterdir()
    assert f"{RUNS} of {RUNS} runs finished" in page.read_text()
    (baseline,) = (run for run in tagged(client, "ablations", "best_run_id") if run.data.tags["variant"] == "baseline")
    assert page.name in files(client, baseline)

    page.unlink()
    judged, _ = finished(cluster.bench("claims", "--dataset", "mnist-5k", "--format", "json", folder=tmp_path))
    evidence = {claim["name"]: claim["evidence"] for claim in json.loads(judged)["claims"]}
    assert evidence["rotation"] == "rotation was last run with epochs = 1, not 10."
    assert evidence["mlp"] == "Nothing of suite references is recorded on mnist-5k."
    assert list(tmp_path.iterdir()) == []


def test_a_search_survives_a_worker_and_is_in_the_database(cluster, client):
    """Twenty trials by two drivers on the same workers, of which one is killed: Optuna and MLflow have all, once."""
    (cluster.folder / "space.toml").write_text(SPACE)
    storage = f"postgresql://optuna@127.0.0.1:{cluster.ports['postgres']}/optuna"
    found = ("--space", "space.toml", "--trials", str(TRIALS), "--epochs", "2", "--top", "0", "--storage", storage)
    command = ("tune", "--architecture", "mlp", "--dataset", "mnist-5k", *found, "--verbose", *at(cluster))
    searches = [cluster.bench(*command) for _ in range(2)]  # one makes the study, the other finds it
    wait_for(searches[0], tuple(f"{ended}/{TRIALS}" for ended in range(5, TRIALS)))
    cluster.workers.pop(0).stop(signal.SIGKILL)
    for search in searches:
        finished(search)
    owned = storage.replace("optuna@", f"optuna:{SECRETS['OPTUNA_DATABASE_PASSWORD']}@")
    kept = optuna.storages.RDBStorage(owned)
    trials = optuna.load_study(study_name="mlp-mnist-5k", storage=kept).trials
    kept.engine.dispose()
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}
    assert TRIALS <= len(trials) <= TRIALS + len(searches)  # two that ask at one moment don't see one another
    recorded = tagged(client, "tuning", "trial")
    trained = [trial.number for trial in trials if SAME_AS not in trial.user_attrs]
    assert sorted(int(run.data.tags["trial"]) for run in recorded) == trained
    assert {run.info.status for run in recorded} <= {"FINISHED", "KILLED"}
    with urllib.request.urlopen(cluster.url("dashboard", "/api/studies")) as page:  # noqa: S310 - the cluster's own
        assert b"mlp-mnist-5k" in page.read()
