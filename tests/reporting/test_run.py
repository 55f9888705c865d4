"""One run as tables for a terminal."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from mnist_bench.reporting.run import confusion_table, epochs_table


def _lines(table):
    console = Console(width=80, file=io.StringIO())
    console.print(table)
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_each_epoch_has_its_figures():
    """Losses stand as they are, accuracies in percent; a run without validation has no columns for it."""
    history = [{"train_loss": 0.5, "train_accuracy": 0.25, "epoch_seconds": 2.0}] * 2
    assert _lines(epochs_table(history))[-2:] == [["1", "0.5000", "25.00", "2.0"], ["2", "0.5000", "25.00", "2.0"]]


@pytest.mark.parametrize(("epochs", "shown"), [(0, []), (1, [1]), (12, [*range(1, 13)]), (50, 12)])
def test_of_many_epochs_some_are_shown(epochs, shown):
    """Twelve at most, the first and the last among them."""
    rows = [line for line in _lines(epochs_table([{"train_loss": 1.0}] * epochs)) if line and line[0].isdecimal()]
    numbers = [int(row[0]) for row in rows]
    assert (
        numbers == shown if isinstance(shown, list) else (len(numbers), numbers[0], numbers[-1]) == (shown, 1, epochs)
    )


def test_the_matrix_has_its_rates():
    """Recall at the end of each row, precision below each column, accuracy in the corner; nothing where nothing is."""
    rows = _lines(confusion_table(np.array([[8, 2, 0], [0, 10, 0], [0, 0, 0]])))
    assert ["0", "8", "2", "·", "80.0"] in rows
    assert ["2", "·", "·", "·", "–"] in rows
    assert rows[-1] == ["prec.,", "%", "100.0", "83.3", "–", "90.0"]


def test_ten_classes_fit_80_columns():
    """With counts of four digits, as MNIST's test part has."""
    rows = _lines(confusion_table(np.full((10, 10), 1135)))
    assert ["9", *["1135"] * 10, "10.0"] in rows
