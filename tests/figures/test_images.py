"""Grids of images."""

from __future__ import annotations

import numpy as np
import pytest
from figures.reading import check_inside, check_readable

from mnist_bench.figures.images import augmented_images, labelled_images, predicted_images

IMAGES = np.arange(200, dtype=np.uint8)[:, None, None] * np.ones((1, 3, 4), np.uint8)  # each of its number's grey
TRUTH = np.arange(200) % 10


def _shown(figure):
    """Which image each panel shows, by its grey, and its caption."""
    return [(int(axes.images[0].get_array()[0, 0]), axes.get_title()) for axes in figure.axes if axes.images]


def _framed(figure):
    return [axes.spines["left"].get_visible() for axes in figure.axes]


def test_25_images_stand_under_their_own_labels():
    """They are spread over all images, and each has its own label."""
    shown = _shown(labelled_images(IMAGES, TRUTH, "mine"))
    assert len(shown) == 25
    assert (shown[0][0], shown[-1][0]) == (0, 199)
    assert all(caption == str(TRUTH[number]) for number, caption in shown)


def test_few_images_are_all_shown():
    """A dataset of three images has a picture too."""
    assert [number for number, _ in _shown(labelled_images(IMAGES[:3], TRUTH[:3], "mine"))] == [0, 1, 2]


def test_wrong_ones_are_marked_and_no_other():
    """A wrong one is framed, and its caption has what was predicted and what is true; a right one's has its class."""
    predicted = TRUTH.copy()
    predicted[[5, 150]] = 0, 7
    figure = predicted_images(IMAGES, TRUTH, predicted, "baseline")
    shown = _shown(figure)
    assert shown[:2] == [(5, "✗ 0, is 5"), (150, "✗ 7, is 0")]
    assert all(caption == str(TRUTH[number]) for number, caption in shown[2:])
    assert len({number for number, _ in shown}) == 49
    assert _framed(figure) == [True] * 2 + [False] * 47
    assert "2 of 200 test images are misclassified (1.00%)" in figure.get_suptitle()


@pytest.mark.parametrize(("wrong", "shown"), [(0, 0), (10, 10), (200, 24)])
def test_half_of_them_at_most_are_wrong(wrong, shown):
    """However many are wrong, right ones stand beside them where there are any."""
    predicted = np.where(np.arange(200) < wrong, (TRUTH + 1) % 10, TRUTH)
    assert sum(_framed(predicted_images(IMAGES, TRUTH, predicted, "a"))) == shown


def test_copies_stand_beside_their_image():
    """A row an image: itself with its class, then its copies in their order."""
    copies = np.arange(6.0).reshape(2, 3, 1, 1) * np.ones((1, 1, 4, 4))
    figure = augmented_images(copies, np.array([7, 8]), "mine, rotation")
    assert _shown(figure) == [(0, "class 7"), (1, ""), (2, ""), (3, "class 8"), (4, ""), (5, "")]
    assert "2 augmented copies of each" in figure.get_suptitle()


def test_pictures_can_be_read():
    """Texts are large enough, nothing reaches beyond the picture, and pyplot holds no figure."""
    figure = predicted_images(IMAGES, TRUTH, (TRUTH + 1) % 10, "no_batch_norm, seed 12")
    check_readable(figure)
    check_inside(figure)
