"""Pictures of a dataset as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from figures.reading import check_inside, check_readable, texts

from mnist_bench.figures.data import class_counts, pixel_values


def test_the_bars_are_the_counts_of_each_part():
    """Each part has its panel, a bar a class, and its number of images in the title."""
    counts = {"training": np.array([30, 20, 10]), "test": np.array([3, 2, 1])}
    panels = class_counts(counts, "mine").axes
    assert [[bar.get_height() for bar in axes.patches] for axes in panels] == [[30, 20, 10], [3, 2, 1]]
    assert [axes.get_title() for axes in panels] == ["training part (n = 60 images)", "test part (n = 6 images)"]
    assert panels[-1].get_xlabel() == "class"
    assert {axes.get_ylabel() for axes in panels} == {"images"}


def test_scaling_moves_the_axis_and_not_the_shares():
    """Of 3 black pixels and 1 white one, 75% stand in the first bin and 25% in the last, before scaling and after."""
    counts = np.zeros(256, int)
    counts[[0, 255]] = 3, 1
    before, after = pixel_values(counts, "mine").axes
    for axes, white in ((before, 255), (after, 1)):
        values, edges, _ = axes.patches[0].get_data()
        assert (values[0], values[-1], values.sum()) == (75, 25, 100)
        assert edges[-2] < white <= edges[-1]
    assert "mean 63.8, standard deviation 110" in before.get_title()
    assert "mean 0.25, standard deviation 0.433" in after.get_title()
    assert after.get_xlabel() == "pixel value / 255 (0 black, 1 white)"


@pytest.mark.parametrize(
    "figure",
    [class_counts({"training": np.arange(1, 48), "test": np.ones(47, int)}, "a"), pixel_values(np.ones(256, int), "a")],
    ids=["classes", "pixels"],
)
def test_pictures_can_be_read(figure):
    """Texts are large enough, nothing reaches beyond the picture, and it says how many there are."""
    check_readable(figure)
    check_inside(figure)
    assert any("n = " in text for text in texts(figure))
