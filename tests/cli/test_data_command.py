"""`mnist-bench data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from mnist_bench.cli.data import command as data
from mnist_bench.data import load, sources, split
from mnist_bench.errors import DataError

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
