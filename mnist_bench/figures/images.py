"""Pictures of images: grids of them, each with its caption over it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from mnist_bench.figures.style import DPI, SMALL, TEXT, VERMILION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["augmented_images", "labelled_images", "predicted_images"]

_CELL, _CAPTION, _HEAD = 0.85, 0.25, 0.6  # inches: an image, the words over it, the title's two lines


def labelled_images(images: NDArray[np.uint8], labels: NDArray[np.integer[Any]], title: str) -> Figure:
    """A grid of 5 x 5 images with their labels, evenly spread over all.

    Args:
        images: (n, height, width).
        labels: (n,).
        title: which dataset this is.
    """
    shown = _spread(np.arange(len(images)), 5 * 5)
    told = f"{title}: {len(shown)} of {len(images):,} training images,\nover each its class"
    return _grid(images[shown], [str(label) for label in labels[shown]], told, columns=5)


def augmented_images(copies: NDArray[Any], labels: NDArray[np.integer[Any]], title: str) -> Figure:
    """A row for each image: as it is, and copies of it as they are trained on.

    Args:
        copies: (n, m, height, width), 0 to 255; the first of each row is the image itself.
        labels: (n,).
        title: which recipe this is.
    """
    columns = copies.shape[1]
    captions = [caption for label in labels for caption in (f"class {label}", *[""] * (columns - 1))]
    told = f"{title}: {len(labels)} training images,\non the right {columns - 1} augmented copies of each"
    return _grid(copies.reshape(-1, *copies.shape[2:]), captions, told, columns=columns)


def predicted_images(
    images: NDArray[np.uint8], truth: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], title: str
) -> Figure:
    """A grid of 7 x 7 test images with the predicted class; the wrong ones come first, marked and with the true class.

    At most half of them are wrong ones, so that there are right ones to compare them with; both are evenly spread over
    all of their kind.

    Args:
        images: (n, height, width).
        truth: (n,), the true classes.
        predicted: (n,).
        title: which run this is.
    """
    missed = np.flatnonzero(predicted != truth)
    wrong = _spread(missed, 7 * 7 // 2)
    shown = np.concatenate([wrong, _spread(np.flatnonzero(predicted == truth), 7 * 7 - len(wrong))])
    captions = [
        str(said) if said == true else f"✗ {said}, is {true}"
        for said, true in zip(predicted[shown], truth[shown], strict=True)
    ]
    told = (
        f"{title}: {len(missed):,} of {len(images):,} test images are misclassified ({len(missed) / len(images):.2%})\n"
        f"{len(wrong)} of them, framed (✗ predicted class, is true class), then {len(shown) - len(wrong)} right ones"
    )
    return _grid(images[shown], captions, told, columns=7, framed=len(wrong))


def _spread(indices: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """At most `count` of the indices, evenly spread."""
    places = np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(np.intp)
    return np.take(indices, places)


def _grid(images: NDArray[Any], captions: Sequence[str], title: str, *, columns: int, framed: int = 0) -> Figure:
    """Grey images (n, height, width), 0 to 255, in rows of `columns`; the first `framed` ones are framed."""
    rows = math.ceil(len(images) / columns)
    width, height = columns * (_CELL + 0.1) + 0.2, rows * (_CELL + _CAPTION) + _HEAD  # inches
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.subplots_adjust(
        left=0.1 / width,
        right=1 - 0.1 / width,
        bottom=0.08 / height,
        top=1 - (_HEAD + _CAPTION - 0.08) / height,
        wspace=0.1 / _CELL,
        hspace=_CAPTION / _CELL,
    )
    figure.suptitle(title, fontsize=TEXT, y=1 - 0.08 / height, verticalalignment="top")
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if place < len(images):
            axes.imshow(images[place], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(captions[place], fontsize=SMALL, pad=2)
            if place < framed:
                axes.spines[:].set(visible=True, color=VERMILION, linewidth=2.5)
    return figure
