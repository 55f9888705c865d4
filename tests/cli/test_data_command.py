"""`mnist-bench data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np
import pytest
from click.testing import CliRunner

from mnist_bench.cli.data import _copies
from mnist_bench.cli.data import command as data
from mnist_bench.data import load, sources, split
from mnist_bench.errors import DataError, SuiteError
from mnist_bench.specs import Augmentation

if TYPE_CHECKING:
    from pathlib import Path


def test_shows_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command shows where a dataset came from, its sizes, its classes and its digests, in 80 columns."""
    labels = np.repeat(np.arange(3), 20)
    monkeypatch.chdir(tmp_path)  # for a path short enough to stand in one line
    np.savez("mine.npz", x_train=np.zeros((60, 5, 7)), y_train=labels, x_test=np.ones((4, 5, 7)), y_test=labels[::15])
    shown = CliRunner().invoke(data, ["--dataset", "mine.npz"], catch_exceptions=False)
    assert shown.exit_code == 0
    assert not shown.stderr
    dataset = load("mine.npz")
    for fact in (
        dataset.name,
        "mine.npz",
        "5 x 7 pixels, 3 classes",
        dataset.digest,
        split(dataset.train_labels, 0.1).digest,
    ):
        assert fact in shown.stdout
    rows = [line.replace("│", " ").split() for line in shown.stdout.splitlines()]
    assert ["0", "18", "2", "2"] in rows
    assert ["all", "54", "6", "4"] in rows
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_a_tiny_dataset_is_shown_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no validation part can be cut, that is said, and the rest is shown all the same."""
    monkeypatch.chdir(tmp_path)
    np.savez("tiny.npz", x_train=np.zeros((2, 3, 3)), y_train=[0, 1], x_test=np.ones((1, 3, 3)), y_test=[0])
    shown = CliRunner().invoke(data, ["--dataset", "tiny.npz"], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "none: validation = 0.1 of 2 images leaves a class" in " ".join(shown.stdout.replace("│", " ").split())


def test_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where mnist-5k stands in for MNIST, one line on standard error says so."""

    def unreachable(name: str) -> None:
        raise DataError(f"the download of {name} failed (no network)")

    monkeypatch.delenv("MNIST_BENCH_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(sources, "fetch", unreachable)
    shown = CliRunner().invoke(data, [], catch_exceptions=False)
    assert shown.stderr.startswith("mnist-5k")
    assert shown.stderr.count("\n") == 1
    assert "mnist-5k" in shown.stdout


def test_error_propagates(tmp_path: Path) -> None:
    """A dataset that can't be had is the same error as in the library, for `main` to tell."""
    with pytest.raises(DataError, match="holds neither"):
        CliRunner().invoke(data, ["--data-dir", str(tmp_path)], catch_exceptions=False)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a dataset of 60 images."""
    monkeypatch.chdir(tmp_path)
    images, labels = np.arange(60)[:, None, None] * np.ones((1, 8, 8)), np.arange(60) % 3
    np.savez("mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    return tmp_path


def test_pictures_go_to_a_folder_named_after_the_dataset(mine: Path) -> None:
    """Their paths are printed; without --show there are none."""
    CliRunner().invoke(data, ["--dataset", "mine.npz"], catch_exceptions=False)
    assert [path.name for path in mine.iterdir()] == ["mine.npz"]
    shown = CliRunner().invoke(data, ["--dataset", "mine.npz", "--show"], catch_exceptions=False)
    folder = mine / load("mine.npz").name
    assert {path.name for path in folder.iterdir()} == {"classes.png", "images.png", "pixels.png"}
    assert shown.stdout.split()[-3:] == [f"{folder.name}/{name}.png" for name in ("classes", "images", "pixels")]


def test_a_recipes_augmentation_is_drawn(mine: Path) -> None:
    """Of a variant that augments there is one picture more, in the folder that was named."""
    variant = ["--suite", "ablations", "--variant", "rotation", "-o", "here"]
    shown = CliRunner().invoke(data, ["--dataset", "mine.npz", "--show", *variant], catch_exceptions=False)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert (mine / "here" / "augmented_rotation.png").read_bytes().startswith(b"\x89PNG")


def test_copies_are_what_training_makes_of_an_image() -> None:
    """The image itself comes first, then eight copies that differ, within the bounds of what it can hold."""
    images = np.zeros((2, 9, 9), np.uint8)
    images[:, 4, 2:7] = 200
    copies = _copies(images, Augmentation(rotation_degrees=50))
    assert copies.shape == (2, 9, 9, 9)
    np.testing.assert_array_equal(copies[:, 0], images)
    assert len({copy.tobytes() for copy in copies[0]}) == 9
    assert copies.max() <= 200
    np.testing.assert_allclose(copies[..., 4, 4], 200, atol=1)  # the centre, about which it is turned


def test_a_variant_that_augments_nothing_is_refused(mine: Path) -> None:
    """The variants that do are named."""
    with pytest.raises(SuiteError, match="baseline of ablations augments nothing; variants that do: rotation, gentle"):
        data.main(["--show", "--suite", "ablations", "--variant", "baseline"], standalone_mode=False)


@pytest.mark.parametrize(
    "options", [["--suite", "ablations", "--show"], ["--variant", "rotation", "--show"], ["-o", "x"]]
)
def test_options_that_mean_nothing_alone_are_refused(mine: Path, options: list[str]) -> None:
    """A suite without its variant, a variant without its suite, a folder without pictures."""
    with pytest.raises(click.UsageError, match=r"give both|add --show"):
        data.main(options, standalone_mode=False)
