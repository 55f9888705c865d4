"""`mnist-bench compare`."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import click
import numpy as np
import pytest
from click.testing import CliRunner
from made_up import run_spec
from tracking.recordings import failed_result, new_store, record, run_result

from mnist_bench import data
from mnist_bench.cli.compare import command as compare
from mnist_bench.errors import ComparisonError, DataError, StoreError
from mnist_bench.specs import DatasetRef
from mnist_bench.tracking.reader import read_suite

LABELS = np.arange(120) % 4  # of both parts


def _save(path, brightness):
    """A dataset of 120 images a part; all that is compared of it is labels and digest."""
    images = np.full((120, 4, 4), brightness, np.uint8)
    np.savez(path, x_train=images, y_train=LABELS, x_test=images, y_test=LABELS)


def _predictions(spec):
    """What a run predicts: wide is wrong on the first images, the baseline on the first of class 1 too."""
    predicted = LABELS.copy()
    predicted[: spec.seed] = 3 - predicted[: spec.seed]
    if spec.variant == "baseline":
        predicted[1:61:4] = 2
    buffer = io.BytesIO()
    np.savez(buffer, predicted=predicted.astype(np.uint8))
    return {"predictions.npz": buffer.getvalue()}


def _specs(name, digest, variants, seeds=10):
    reference = DatasetRef(name=name, digest=digest, split="cut")
    return [
        run_spec(seed=seed, variant=variant, options={"name": variant}).model_copy(update={"dataset": reference})
        for seed in range(seeds)
        for variant in variants
    ]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A store in a folder that holds its dataset, tiny, under the name of MNIST; two more that have no place there."""
    folder = tmp_path_factory.mktemp("compare")
    _save(folder / "mnist.npz", brightness=1)
    store = new_store(tmp_path_factory, folder)
    for name, digest in (("kmnist", "other"), ("mine-0123", "other"), ("mnist", data.load("mnist", folder).digest)):
        specs = _specs(name, digest, ("baseline", "wide", "broken"), 10 if name == "mnist" else 2)
        results = [run_result(spec, artifacts=_predictions(spec)) for spec in specs if spec.variant != "broken"]
        results += [failed_result(spec) for spec in specs if spec.variant == "broken"]
        record(store, specs, [result for result in results if (result.spec.variant, result.spec.seed) != ("wide", 9)])
    return store


@pytest.fixture
def call(recorded):
    """Call `compare` on that store: what it prints."""

    def caller(*arguments):
        defaults = {"--data-dir": str(recorded.location.folder.parent), "--dataset": "mnist"}
        where = ["--tracking-uri", recorded.location.uri]
        where += [word for option in defaults.items() if option[0] not in arguments for word in option]
        shown = CliRunner().invoke(compare, [*arguments, *where], catch_exceptions=False, standalone_mode=False)
        assert shown.stderr == ""
        return shown.stdout

    return caller


def _id(store, variant, seed, dataset="mnist"):
    runs = read_suite(store, "made_up", dataset).runs.set_index(["variant", "seed"])
    return runs.loc[variant, seed]["run_id"]


def test_two_variants(call):
    """What is compared stands above, then the seeds, the images and the classes, in 80 columns."""
    shown = call("wide", "baseline", "--suite", "made_up")
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    for fact in (
        "made_up on mnist: 9 paired seeds, 120 test images; differences: A − B",
        "A wide 96.67",
        "wide is 11.57 pp more accurate than baseline in the mean of 9 paired seeds",
        "Missing, so that their pairs don't count: wide seed 9 (not finished).",
        "A alone is right, all 14 (number from 0: truth → B's mistake) 5: 1 → 2",
        "They differ in class 1.",
    ):
        assert fact in words


def test_a_suite_may_be_named_by_its_file(call):
    """What `run` takes as a suite, `compare` takes too."""
    assert "made_up on mnist" in call("wide", "baseline", "--suite", "experiments/made_up.toml")


def test_two_runs_however_they_are_named(call, recorded):
    """A run is a variant with a seed, or an id; with two ids no suite is needed. Both come to the same."""
    ids = [_id(recorded, variant, 4) for variant in ("wide", "baseline")]
    by_name = call("wide@4", "baseline@4", "--suite", "made_up")
    assert by_name == call(*ids) == call(ids[0], "baseline@4", "--suite", "made_up")
    assert f"A: run {ids[0]} of made_up" in by_name
    assert "A  wide@4" in by_name
    assert "Whether the change between them did it, two runs\ncan't tell" in by_name


def test_runs_of_one_name_are_told_apart(call, recorded):
    """Two recordings of one variant with one seed bear their ids."""
    spec = next(spec for spec in _specs("mnist", data.load("mnist", recorded.location.folder.parent).digest, ["wide"]))
    other = spec.model_copy(update={"suite": "another", "seed": 4})
    record(recorded, [other], [run_result(other, artifacts=_predictions(other))])
    ids = [_id(recorded, "wide", 4), read_suite(recorded, "another").runs["run_id"].iloc[0]]
    shown = call(*ids)
    assert f"A  wide@4 ({ids[0][:8]})" in shown
    assert f"B  wide@4 ({ids[1][:8]})" in shown
    assert f"B: run {ids[1]} of another" in shown


def test_json_is_data_alone(call, recorded):
    """What is printed can be read back: what was compared, and every image."""
    told = json.loads(call("wide", "baseline", "--suite", "made_up", "--format", "json"))
    assert (told["suite"], told["dataset"]) == ("made_up", "mnist")
    assert [image["image"] for image in told["over_images"]["only_a"]] == [*range(5, 61, 4)]
    told = json.loads(call("wide@4", "baseline@5", "--suite", "made_up", "--format", "json"))
    expected = {"run_id": _id(recorded, "baseline", 5), "suite": "made_up", "variant": "baseline", "seed": 5}
    assert told["runs"][1] == expected


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["wide", "baseline@0", "--suite", "made_up"], click.UsageError, "are a variant and a run: give two variants,"),
        (["0" * 32, "baseline", "--suite", "made_up"], click.UsageError, "are a variant and a run"),
        (["wide", "wide", "--suite", "made_up"], click.UsageError, "A and B are the same: wide"),
        (
            ["wide", "baseline"],
            click.UsageError,
            "'wide' is no run id of 32 hexadecimal digits: name its suite by --su",
        ),
        (["0" * 32, "baseline@0"], click.UsageError, "'baseline@0' is no run id"),
        (["wide@x", "wide@1", "--suite", "made_up"], click.UsageError, "'wide@x': a seed, a whole number, belongs aft"),
        (["wide@1", "wide@01", "--suite", "made_up"], ComparisonError, "wide@1 and wide@01 are the same run"),
        (["wide", "base", "--suite", "made_up"], ComparisonError, "has no variant 'base'; did you mean 'baseline'"),
        (["wide", "broken", "--suite", "made_up"], ComparisonError, "broken has no finished run in made_up on mnist"),
        (["wide@9", "wide@1", "--suite", "made_up"], ComparisonError, "wide@9 is no finished run"),
        (["wide", "baseline", "--suite", "mad_up"], StoreError, "did you mean 'made_up'"),
        (["wide", "baseline", "--suite", "made_up", "--dataset", "m"], StoreError, "on 'm'"),
        (["0" * 32, "1" * 32], StoreError, "not found"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_compared_is_refused(call, arguments, error, message):
    """Whatever is asked for in vain is told in one line, with the mend."""
    with pytest.raises(error) as refused:
        call(*arguments)
    line = getattr(refused.value, "message", str(refused.value))  # click's errors have it apart
    assert message in line
    assert "\n" not in line


def test_a_run_without_predictions_is_refused(call, recorded):
    """Of a run whose file is gone nothing can be told image by image."""
    run_id = _id(recorded, "wide", 0, "kmnist")
    (file,) = recorded.location.folder.glob(f"artifacts/made_up/kmnist/{run_id}/artifacts/predictions.npz")
    file.unlink()
    with pytest.raises(StoreError, match=f"run {run_id}: its predictions.npz is missing or can't be read"):
        call(run_id, _id(recorded, "baseline", 0, "kmnist"))


def test_runs_on_different_data_are_refused(call, recorded):
    """What was tested on other images can't be laid side by side."""
    with pytest.raises(ComparisonError, match=r"different data, mnist \(\w{16}\) and kmnist \(other\): they have no"):
        call(_id(recorded, "wide", 1), _id(recorded, "wide", 1, "kmnist"))


def test_labels_of_other_data_are_refused(call, tmp_path):
    """A dataset of the right name whose images are others is never scored against."""
    _save(tmp_path / "mnist.npz", brightness=2)
    with pytest.raises(DataError, match=rf"{tmp_path}/mnist.npz: holds other data \(digest .* name its folder by"):
        call("wide", "baseline", "--suite", "made_up", "--data-dir", str(tmp_path))


def test_a_dataset_of_ones_own_is_asked_for(recorded):
    """What has no name here can't be found without --data-dir."""
    arguments = ["wide@1", "baseline@1", "--suite", "made_up", "--dataset", "mine-0123"]
    with pytest.raises(DataError, match="trained on mine-0123, which has no name here: name its file or folder by"):
        CliRunner().invoke(compare, [*arguments, "--tracking-uri", recorded.location.uri], catch_exceptions=False)


@pytest.mark.parametrize("place", ["mnist", "mnist/digits.npz"])
def test_a_dataset_of_ones_own_is_named_by_its_path(call, recorded, tmp_path, monkeypatch, place):
    """Its folder or its file will do, even where it bears the name of another dataset."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    _save(tmp_path / "mnist" / "digits.npz", brightness=3)
    own = data.load("mnist/digits.npz")
    specs = _specs(own.name, own.digest, ("baseline", "wide"), seeds=2)
    record(recorded, specs, [run_result(spec, artifacts=_predictions(spec)) for spec in specs])
    shown = call("wide", "baseline", "--suite", "made_up", "--dataset", own.name, "--data-dir", place)
    assert f"made_up on {own.name}: 2 paired seeds, 120 test images" in shown


def test_starts_without_tensorflow():
    """Importing the command loads neither TensorFlow nor Keras nor MLflow."""
    code = "import sys, mnist_bench.cli.compare; sys.exit(bool({'tensorflow', 'keras', 'mlflow'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
