"""Pictures of images: grids of them, each with its caption."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from mnist_bench.figures.style import DPI, SMALL, TEXT, VERMILION

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["image_grid"]

_CELL, _CAPTION, _HEAD = 0.85, 0.25, 0.6  # inches: an image, the words over it, the title's two lines


def image_grid(
    images: NDArray[Any], captions: Sequence[str], title: str, *, columns: int, wrong: Collection[int] = ()
) -> Figure:
    """Grey images in rows of `columns`, each with its caption over it; those in `wrong` are framed.

    Args:
        images: (n, height, width), 0 black to 255 white.
        captions: one an image.
        title: what they are and how many of how many; at most two lines.
        columns: how many stand in a row.
        wrong: indices of the images that are framed. Their captions have to tell it too, for whoever sees no colours.
    """
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
            if place in wrong:
                _frame(axes)
    return figure


def _frame(axes: Axes) -> None:
    axes.spines[:].set(visible=True, color=VERMILION, linewidth=2.5)
    axes.title.set_color(VERMILION)
