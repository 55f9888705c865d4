"""Pictures of a run: what they say, that they can be read, and that none stays open."""

from __future__ import annotations

import numpy as np
import pytest
from figures.reading import check_readable, texts

from mnist_bench.figures import run as figures
from mnist_bench.figures.style import to_png

HISTORY = [
    {"train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.45},
    {"train_loss": 0.5, "train_accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.75},
]
MATRIX = np.array([[8, 2], [0, 10]])


def test_curves_are_in_percent_over_epochs_from_1():
    """Both parts are drawn, accuracy times 100, from epoch 1 on."""
    loss, accuracy = figures.learning_curves(HISTORY, "baseline, seed 0").axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[1.0, 0.5], [1.1, 0.6]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[50, 80], [45, 75]]
    assert [list(line.get_xdata()) for line in loss.lines] == [[1, 2]] * 2
    assert (loss.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "accuracy (percent)")


@pytest.mark.parametrize("history", [[], [{"train_loss": float("nan")}], [{"train_loss": 1.0, "train_accuracy": 0.5}]])
def test_curves_of_little_are_drawn(history):
    """A run that failed at once, or that holds nothing out, has a picture too."""
    assert to_png(figures.learning_curves(history, "baseline")).startswith(b"\x89PNG")


def test_the_heat_map_counts_and_names_its_axes():
    """Each cell that isn't empty shows its count and its percentage; the title says how many images there are."""
    said = texts(figures.confusion_heatmap(MATRIX, "baseline"))
    assert said >= {"8\n80.0", "2\n20.0", "10\n100.0", "true class", "predicted class"}
    assert "baseline (n = 20 images)\nin each cell: images, and percent of the true class" in said


def test_a_class_without_images_is_no_fault():
    """A class that the test images lack has an empty row."""
    assert to_png(figures.confusion_heatmap(np.array([[5, 0], [0, 0]]), "baseline"))


@pytest.mark.parametrize("figure", [figures.learning_curves(HISTORY, "a"), figures.confusion_heatmap(MATRIX, "a")])
def test_pictures_can_be_read(figure):
    """Texts are large enough, the file is a picture, and pyplot holds no figure."""
    check_readable(figure)
