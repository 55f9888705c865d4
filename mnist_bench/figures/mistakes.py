"""The images that are most often got wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from mnist_bench.figures.style import NARROW, SHARP, SMALL, TEXT

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["wrong_images"]

_COLUMNS = 5
_ROW = 0.98  # inches


def wrong_images(mistakes: pd.DataFrame, images: NDArray[np.uint8], runs: int) -> Figure:
    """A grid of test images, dark on light, each with its truth, what it is mostly mistaken for, and by how many runs.

    Args:
        mistakes: a row an image, in the order of the grid: image (its index), truth, taken_for, wrong (runs).
        images: the test part, (n, height, width).
        runs: how many there are.
    """
    rows = max(-(-len(mistakes) // _COLUMNS), 1)
    height = 0.55 + _ROW * rows
    figure = Figure(figsize=(NARROW, height), dpi=SHARP)
    figure.suptitle(
        f"n = {len(images):,} test images, {runs} runs\ntruth → mistaken for; wrong in so many runs",
        fontsize=TEXT,
        y=1 - 0.06 / height,
        va="top",
    )
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=1 - 0.82 / height, wspace=0.12, hspace=0.75)
    cells = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    for axes, row in zip(cells, mistakes.to_dict("records"), strict=False):
        axes.imshow(images[row["image"]], cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(f"{row['truth']} → {row['taken_for']}\nin {row['wrong']}", fontsize=SMALL, pad=2)
    return figure
