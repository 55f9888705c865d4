"""The picture of what is often got wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figures.reading import check_inside, check_readable, texts

from mnist_bench.figures.mistakes import wrong_images

IMAGES = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 28), dtype=np.uint8)
MISTAKES = pd.DataFrame({"image": [7, 3], "truth": [4, 1], "taken_for": [9, 7], "wrong": [20, 18]})


def test_each_image_stands_under_its_truth_and_its_mistake():
    """The right images are shown, in order, with truth, mistake and number of runs; the rest of the grid is empty."""
    figure = wrong_images(MISTAKES, IMAGES, 24)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.images[0].get_array().max() for axes in shown] == [7, 3]
    assert [axes.get_title() for axes in shown] == ["4 → 9\nin 20", "1 → 7\nin 18"]
    assert any("n = 40 test images, 24 runs" in text for text in texts(figure))
    check_readable(figure)
    check_inside(figure)


def test_a_suite_without_mistakes_has_a_picture_too():
    """Where every run gets every image right, the grid is empty."""
    check_readable(wrong_images(MISTAKES[:0], IMAGES, 24))
