"""Pictures of a variant over its seeds: curves, and what is mistaken for what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from figures.reading import check_inside, check_readable, texts

from mnist_bench.figures import variant as figures


def _band(*means):
    mean = np.array(means)
    return pd.DataFrame({"mean": mean, "low": mean * 0.9, "high": mean * 1.05}, index=range(1, len(mean) + 1))


BANDS = {
    "train_loss": _band(1.0, 0.5, 0.1),
    "train_accuracy": _band(0.5, 0.8, 0.95),
    "val_loss": _band(1.1, 0.6, 0.7),
    "val_accuracy": _band(0.45, 0.75, 0.74),
}
TRAINING = {name: band for name, band in BANDS.items() if name.startswith("train")}
MATRIX = np.array([[8.0, 2.0, 0.0], [0.25, 1030.0, 0.0], [0.0, 0.0, 0.0]])


def _lines(axes):
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}


def test_curves_have_bands_and_marks():
    """Both parts are drawn with their bands, accuracy in percent; the best epoch and overfitting are marked in both."""
    figure = figures.curves_over_seeds("wide", 7, BANDS, best=2, overfits=3, reference=TRAINING)
    loss, accuracy = figure.axes
    assert _lines(loss)["training"] == [1.0, 0.5, 0.1]
    assert _lines(loss)["validation"] == [1.1, 0.6, 0.7]
    assert _lines(accuracy)["validation"] == pytest.approx([45, 75, 74])
    assert _lines(accuracy)["baseline, training"] == pytest.approx([50, 80, 95])
    corners = accuracy.collections[0].get_paths()[0].vertices
    assert {1, 2, 3} <= set(corners[:, 0])
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((45, 99.75))
    for axes in (loss, accuracy):
        assert [line.get_xdata()[0] for line in axes.lines[-2:]] == [2, 3]
    said = texts(figure)
    assert {"epoch", "loss (nats an image)", "accuracy (percent)"} <= said
    assert {"least val. loss: epoch 2", "overfits from epoch 3"} <= said
    assert "wide, n = 7 runs\nmean; band: lowest to highest run" in said


def test_without_validation_there_is_nothing_to_mark():
    """A recipe that holds nothing out has its training curves, and no marks."""
    figure = figures.curves_over_seeds("whole", 1, TRAINING)
    assert all(_lines(axes).keys() == {"training"} for axes in figure.axes)
    assert "whole, n = 1 run\nmean; band: lowest to highest run" in texts(figure)


def test_mean_counts_stand_in_their_cells():
    """Small counts have a digit more; empty cells stay empty; the colour is the share of the true class."""
    figure = figures.confusion_mean(MATRIX, "wide", 4)
    assert {"8.0", "2.0", "0.2", "1030"} <= texts(figure)
    assert "0.0" not in texts(figure)
    shares = figure.axes[0].collections[0].get_array()
    assert shares[0].tolist() == [80, 20, 0.1]
    assert "wide: images, mean of 4 runs\nn = 1,040 test images" in texts(figure)
    assert {"true class", "predicted class", "share of the true class (percent)"} <= texts(figure)


def test_changes_have_signs_and_an_even_scale():
    """More and less are told apart by sign, and by colours that are as strong on both sides of none."""
    figure = figures.confusion_change(np.array([[-12.5, 12.5], [0.04, -0.04]]), "wide", 4, 1000)
    assert {"−12", "+12"} <= texts(figure)
    assert not {"+0.0", "−0.0"} & texts(figure)
    assert figure.axes[0].collections[0].get_clim() == (-12.5, 12.5)
    assert "wide less baseline, mean of 4 runs\nn = 1,000 test images" in texts(figure)


@pytest.mark.parametrize(
    "figure",
    [
        figures.curves_over_seeds("wide", 7, BANDS, best=2, overfits=3, reference=BANDS),
        figures.curves_over_seeds("short", 1, {name: band[:1] for name, band in BANDS.items()}, best=1),
        figures.curves_over_seeds("perfect", 2, {name: band * 0 + 1 for name, band in TRAINING.items()}),
        figures.confusion_mean(MATRIX, "wide", 4),
        figures.confusion_mean(np.eye(40), "of many classes", 4),
        figures.confusion_change(np.zeros((3, 3)), "the_same_under_a_much_longer_name", 4, 1000),
    ],
    ids=str,
)
def test_pictures_of_a_variant_can_be_read(figure):
    """Texts are large enough and inside, the file is a picture, and pyplot holds no figure."""
    check_readable(figure)
    check_inside(figure)
