"""`mnist-bench predict`."""

from __future__ import annotations

import json

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mnist_bench.cli.predict import command as predict
from mnist_bench.data import load
from mnist_bench.errors import ImageError, StoreError
from mnist_bench.tracking.reader import read_suite

pytestmark = pytest.mark.slow

BEST = ("--suite", "made_up", "--variant", "baseline")


@pytest.fixture(scope="module")
def digits():
    """100 test digits with their classes."""
    loaded = load("mnist-5k")
    return loaded.test_images[:100], loaded.test_labels[:100]


@pytest.fixture(scope="module")
def pasted(digits, tmp_path_factory):
    """The digits as files: enlarged, in ink on paper, on a larger canvas."""
    folder = tmp_path_factory.mktemp("pasted")
    for number, image in enumerate(digits[0]):
        canvas = np.zeros((200, 260))
        canvas[20 : 20 + 84, number : number + 84] = np.kron(image, np.ones((3, 3))) / 255
        paper, ink = np.array([245, 240, 220]), np.array([20, 30, 120])
        coloured = paper + canvas[..., None] * (ink - paper)
        Image.fromarray(coloured.astype(np.uint8)).save(folder / f"{number:02}.png")
    return sorted(map(str, folder.iterdir()))


def _predict(store, *arguments):
    shown = CliRunner().invoke(predict, [*arguments, "--tracking-uri", store.location.uri], catch_exceptions=False)
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout


def test_pasted_digits_are_classified_as_well_as_the_digits(digits_store, digits, pasted):
    """By the best run of a variant, 100 files are classified as accurately as its test images were, within 3."""
    told = json.loads(_predict(digits_store, *pasted, *BEST, "--format", "json"))
    best = read_suite(digits_store, "made_up").runs.set_index("run_id").loc[told["run_id"]]
    assert (told["suite"], told["variant"], told["seed"], told["dataset"]) == (
        *("made_up", "baseline"),
        *(best["seed"], "mnist-5k"),
    )
    assert [each["image"] for each in told["predictions"]] == pasted
    predicted = np.array([each["predicted"] for each in told["predictions"]])
    probabilities = np.array([each["probabilities"] for each in told["predictions"]])
    np.testing.assert_array_equal(probabilities.argmax(axis=1), predicted)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (predicted == digits[1]).mean() >= best["test_accuracy"] - 0.03


def test_the_table_has_the_likeliest_classes(digits_store, digits, pasted):
    """A line an image: its name, the class, and the likeliest three with their probabilities; a run's id does too."""
    read = json.loads(_predict(digits_store, pasted[0], *BEST, "--format", "json"))
    rows = _predict(digits_store, pasted[0], "--run", read["run_id"]).split("probabilities")[1].split()
    best = read["predictions"][0]["predicted"]
    assert str(best) in rows
    assert f"{read['predictions'][0]['probabilities'][best]:.1%}," in rows
    assert sum(cell.endswith(":") for cell in rows) == 3


@pytest.mark.parametrize("arguments", [(), ("--run", "baseline@0", "--variant", "baseline", "--suite", "made_up")])
def test_one_model_is_named(digits_store, pasted, arguments):
    """None, and two, are refused."""
    with pytest.raises(click.UsageError, match="either --run or --suite and --variant"):
        predict.main([pasted[0], *arguments], standalone_mode=False)


def test_a_file_that_is_no_image_is_refused(digits_store, pasted, tmp_path):
    """One bad file among good ones is named, and nothing is predicted."""
    (tmp_path / "empty.png").write_bytes(b"")
    arguments = [pasted[0], str(tmp_path / "empty.png"), *BEST, "--tracking-uri", digits_store.location.uri]
    with pytest.raises(ImageError, match=r"empty\.png: can't be read as PNG or JPEG"):
        CliRunner().invoke(predict, arguments, catch_exceptions=False)


def test_a_run_that_kept_no_model_is_told(digits_store, pasted):
    """The variant's other run is refused, with how to name one that did."""
    runs = read_suite(digits_store, "made_up").runs
    other = runs.loc[runs["val_accuracy"].idxmin(), "run_id"]
    arguments = [pasted[0], "--run", other, "--tracking-uri", digits_store.location.uri]
    with pytest.raises(StoreError, match="kept no model: only the best of a variant does"):
        CliRunner().invoke(predict, arguments, catch_exceptions=False)
