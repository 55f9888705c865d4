"""`mnist-bench run`, whole: real digits, real workers, real MLflow."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import pytest

pytestmark = pytest.mark.slow

SUITE = """
question = "What happens to a run that diverges?"
cost = "seconds"
seeds = 2
[baseline]
architecture = "logistic_regression"
recipe = {epochs = 2}
[variants.diverging]
recipe = {optimizer = "sgd", learning_rate = 1e30, normalize = false}
[variants.onward]
start_from = "baseline"
recipe = {epochs = 1, checkpoint_every = 1}
"""


def run(folder, *arguments, suite="smoke", **kwargs):
    command = [sys.executable, "-m", "mnist_bench", "run", "--suite", suite, "--dataset", "mnist-5k", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **kwargs)


def client(folder):
    return mlflow.MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")


def recorded(folder, experiment):
    mlflow_client = client(folder)
    found = mlflow_client.get_experiment_by_name(experiment)
    runs = mlflow_client.search_runs([found.experiment_id])
    return [run for run in runs if "run_key" in run.data.tags], [run for run in runs if "role" in run.data.tags]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A folder in which the suite `smoke` has been run once."""
    folder = tmp_path_factory.mktemp("smoke")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_run_is_read_by_a_plain_client(smoke):
    """Parameters, every epoch's points, finals, dataset, files and state are there for any MLflow client."""
    children, parents = recorded(smoke, "smoke/mnist-5k")
    assert len(children) == 4
    assert {parent.data.tags["variant"] for parent in parents} == {"baseline", "mlp"}
    for child in children:
        assert child.info.status == "FINISHED"
        assert child.data.params["recipe.epochs"] == "2"
        assert child.data.metrics["test_accuracy"] > 0.6
        assert len(child.inputs.dataset_inputs) == 1
        for metric in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "epoch_seconds"):
            points = client(smoke).get_metric_history(child.info.run_id, metric)
            assert [point.step for point in points] == [1, 2], metric
    assert all(parent.info.status == "FINISHED" for parent in parents)
    assert all(parent.data.metrics["finished"] == 2 for parent in parents)


def test_predictions_and_confusion_agree_with_the_accuracy(smoke):
    """What is kept image by image adds up to what is recorded as the accuracy."""
    for child in recorded(smoke, "smoke/mnist-5k")[0]:
        folder = Path(child.info.artifact_uri.removeprefix("file://"))
        counts = np.array(json.loads((folder / "confusion.json").read_text())["counts"])
        assert np.trace(counts) / counts.sum() == pytest.approx(child.data.metrics["test_accuracy"])
        with np.load(io.BytesIO((folder / "predictions.npz").read_bytes())) as file:
            assert np.bincount(file["predicted"], minlength=10).tolist() == counts.sum(axis=0).tolist()


def test_the_best_run_of_each_variant_keeps_its_model(smoke):
    """One model a variant, that of the run with the best validation accuracy."""
    children, parents = recorded(smoke, "smoke/mnist-5k")
    for parent in parents:
        mine = [child for child in children if child.data.tags["variant"] == parent.data.tags["variant"]]
        kept = [c for c in mine if Path(c.info.artifact_uri.removeprefix("file://"), "model.keras").exists()]
        assert len(kept) == 1
        assert kept[0].data.metrics["val_accuracy"] == max(child.data.metrics["val_accuracy"] for child in mine)


def test_running_again_trains_nothing(smoke):
    """A second call finds every run finished, and records none twice."""
    before = {child.info.run_id for child in recorded(smoke, "smoke/mnist-5k")[0]}
    again = run(smoke)
    assert again.returncode == 0
    assert "4 runs of smoke on mnist-5k, 0 of them to do." in again.stderr
    assert {child.info.run_id for child in recorded(smoke, "smoke/mnist-5k")[0]} == before


def test_a_dry_run_tells_what_would_be_done(smoke):
    """The plan counts what is done and what is to do, estimates its time, and trains nothing."""
    told = run(smoke, "--seeds", "3", "--dry-run", "--explain")
    assert told.returncode == 0
    assert "2 runs to do, about " in told.stdout
    assert "mlp seed 2: no finished run" in told.stdout
    assert len(recorded(smoke, "smoke/mnist-5k")[0]) == 4


def test_explain_says_which_part_of_the_key_changed(smoke):
    """Other epochs make other runs, and the recipe's epochs are named as the reason."""
    told = run(smoke, "--epochs", "3", "--dry-run", "--explain")
    assert "mlp seed 0: recipe.epochs: 2 → 3" in told.stdout


def test_the_same_seed_gives_the_same_bits_in_another_store(smoke, tmp_path):
    """Another folder, one worker, one variant: the figures are those of the first time, to the last bit."""
    assert run(tmp_path, "--only", "mlp", "--workers", "1").returncode == 0
    there = {child.data.tags["run_key"]: child.data.metrics for child in recorded(smoke, "smoke/mnist-5k")[0]}
    here = recorded(tmp_path, "smoke/mnist-5k")[0]
    assert len(here) == 2
    for child in here:
        same = there[child.data.tags["run_key"]]
        for metric in ("train_loss", "val_loss", "test_loss", "test_accuracy"):
            assert child.data.metrics[metric] == same[metric]


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """A folder, and what `run` answered there to a suite of which one variant diverges."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "mine.toml").write_text(SUITE)
    return folder, run(folder, suite="mine.toml")


def test_failed_runs_are_recorded_and_listed(failing):
    """The others finish; exit 1, with a list of what failed and why; in MLflow they are FAILED, with their cause."""
    folder, answer = failing
    assert answer.returncode == 1
    assert "2 of 6 runs failed: diverging seed 0 (diverged: train_loss is " in answer.stderr
    assert "Traceback" not in answer.stderr
    states = {(c.data.tags["variant"], c.info.status) for c in recorded(folder, "mine/mnist-5k")[0]}
    assert states == {("baseline", "FINISHED"), ("diverging", "FAILED"), ("onward", "FINISHED")}
    causes = [c.data.tags.get("cause") for c in recorded(folder, "mine/mnist-5k")[0] if c.info.status == "FAILED"]
    assert all(cause.startswith("diverged: ") for cause in causes)


def test_a_run_goes_on_from_another(failing):
    """The variant that starts from the baseline's weights begins where the baseline ended, and keeps checkpoints."""
    children = {(c.data.tags["variant"], c.data.tags["seed"]): c for c in recorded(failing[0], "mine/mnist-5k")[0]}
    onward, baseline = children["onward", "0"], children["baseline", "0"]
    assert onward.data.metrics["train_loss"] < baseline.data.metrics["train_loss"]
    folder = Path(onward.info.artifact_uri.removeprefix("file://"))
    assert (folder / "checkpoints" / "epoch_001.weights.h5").is_file()


def test_the_leaderboard_reads_without_tensorflow(smoke):
    """Called for real, it ranks the variants and has loaded neither TensorFlow nor Keras."""
    code = (
        "import sys; from mnist_bench.cli import cli;"
        "cli.main(['leaderboard', '--suite', 'smoke', '--format', 'csv'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=smoke, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert [line.split(",")[1] for line in told.stdout.splitlines()] == ["variant", "mlp", "baseline"]


def test_quiet_is_quiet(smoke):
    """With `-q` nothing is printed but errors."""
    answer = run(smoke, "-q")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_ctrl_c_keeps_what_is_finished_and_running_again_goes_on(tmp_path):
    """Interrupted after some runs: exit 130, those runs FINISHED, none RUNNING; the next call trains the others."""
    arguments = ["run", "--suite", "smoke", "--dataset", "mnist-5k", "--seeds", "40"]
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_bench", *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stderr:
            if line.startswith("6/80"):
                break
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
        began = time.monotonic()
        rest = process.stderr.read()
    assert process.returncode == 130
    assert time.monotonic() - began < 30  # some seconds, on a machine with nothing else to do
    assert "The same command goes on from there." in rest
    assert "Traceback" not in rest
    children, parents = recorded(tmp_path, "smoke/mnist-5k")
    assert 6 <= len(children) < 80
    assert {child.info.status for child in children} == {"FINISHED"}
    assert {parent.info.status for parent in parents} == {"KILLED"}
    seeds = 1 + len(children) // 2
    again = run(tmp_path, "--seeds", str(seeds))
    assert again.returncode == 0
    assert f"{2 * seeds} runs of smoke on mnist-5k, {2 * seeds - len(children)} of them to do." in again.stderr


def leaderboard(folder, suite):
    """What `leaderboard` says of a suite, as JSON."""
    command = [sys.executable, "-m", "mnist_bench", "leaderboard", "--suite", suite, "--format", "json"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(told.stdout)


UNDECIDED = """
question = "Which of them is decided first?"
cost = "seconds"
seeds = 8
smallest_effect_pp = 0.001
[baseline]
architecture = "logistic_regression"
recipe = {epochs = 1}
[variants.longer]
recipe = {epochs = 4}
[variants.again]
seed_offset = 100
"""


def test_until_decided_adds_seeds_to_what_is_undecided(tmp_path):
    """What is clear after 8 seeds gets no more; what isn't, and the baseline, go on to the most; by spent alpha."""
    (tmp_path / "mine.toml").write_text(UNDECIDED)
    answer = run(tmp_path, "--until-decided", "--max-seeds", "12", suite="mine.toml")
    assert answer.returncode == 0, answer.stderr
    assert "After 8 seeds undecided: again." in answer.stderr
    children, parents = recorded(tmp_path, "mine/mnist-5k")
    seeds = [child.data.tags["variant"] for child in children]
    assert {name: seeds.count(name) for name in set(seeds)} == {"baseline": 12, "longer": 8, "again": 12}
    told = leaderboard(tmp_path, "mine")
    verdicts = {row["variant"]: row for row in told["variants"]}
    assert verdicts["longer"]["looks"] == [8, 12]
    assert verdicts["longer"]["verdict"] == "helps"
    assert verdicts["longer"]["p_holm"] > 2 * 2 / 2**8  # twice the least p of eight pairs, were there one look
    assert verdicts["again"]["pairs"] == 12
    tags = {parent.data.tags["variant"]: parent.data.tags for parent in parents}
    assert tags["longer"]["verdict"] == "helps"
    assert tags["longer"]["sentence"].startswith("longer: +")
    again = run(tmp_path, "--until-decided", "--max-seeds", "12", suite="mine.toml")
    assert "24 runs of mine on mnist-5k, 0 of them to do." in again.stderr
    assert leaderboard(tmp_path, "mine")["variants"] == told["variants"]


def test_what_differs_by_luck_alone_gets_no_verdict(tmp_path):
    """The suite `null`, on real digits: of three variants that are the baseline, at most one seems to help or hurt.

    With a probability of 5% there is one, and hardly ever are there two.
    """
    only = [word for name in ("baseline", "again_1", "again_2", "again_3") for word in ("--only", name)]
    answer = run(tmp_path, "--epochs", "1", *only, suite="null")
    assert answer.returncode == 0, answer.stderr
    verdicts = [row["verdict"] for row in leaderboard(tmp_path, "null")["variants"]]
    assert len(verdicts) == 4
    assert sum(verdict in {"helps", "hurts"} for verdict in verdicts) <= 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--max-seeds", "5"], "--max-seeds is for --until-decided"),
        (["--until-decided", "--max-seeds", "1"], "--max-seeds 1 is less than the 2 seeds that the suite begins with"),
    ],
)
def test_max_seeds_is_refused_where_it_means_nothing(tmp_path, options, told):
    """One line, exit 2, before anything is trained."""
    answer = run(tmp_path, *options)
    assert (answer.returncode, told in answer.stderr, list(tmp_path.iterdir())) == (2, True, [])
