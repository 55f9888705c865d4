"""Pictures of a dataset as a whole: how many images each class has, and which values its pixels take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from mnist_bench.figures.style import BLUE, DPI, ORANGE, SMALL, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["class_counts", "pixel_values"]

_WHITE = 255
_BIN = 8  # pixel values


def class_counts(counts: Mapping[str, NDArray[Any]], title: str) -> Figure:
    """A panel for each part of a dataset: how many of its images each class has.

    Args:
        counts: images by class, (classes,), by the part's name.
        title: which dataset this is.
    """
    classes = max(map(len, counts.values()))
    figure = Figure(figsize=(max(5.0, 0.55 * classes), 2.2 * len(counts) + 0.5), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=TEXT + 1)
    panels = figure.subplots(len(counts), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (part, of_class), colour in zip(panels, counts.items(), (BLUE, ORANGE), strict=True):
        bars = axes.bar(range(classes), of_class, color=colour)
        axes.bar_label(bars, labels=[f"{count:,}" for count in of_class], fontsize=SMALL)
        axes.margins(y=0.15)  # room for the counts
        axes.set_title(f"{part} part (n = {of_class.sum():,} images)", fontsize=TEXT)
        axes.set_ylabel("images", fontsize=TEXT)
        axes.tick_params(labelsize=SMALL)
    panels[-1].set_xticks(range(classes))
    panels[-1].set_xlabel("class", fontsize=TEXT)
    return figure


def pixel_values(counts: NDArray[Any], title: str) -> Figure:
    """The distribution of pixel values, as they are stored and as a model sees them once they are scaled to [0, 1].

    On a logarithmic axis, since most pixels of a digit are black.

    Args:
        counts: (256,) pixels of each value.
        title: which images these are.
    """
    figure = Figure(figsize=(8, 3.2), dpi=DPI, layout="constrained")
    figure.suptitle(f"{title} (n = {counts.sum():,} pixels)", fontsize=TEXT + 1)
    before, after = figure.subplots(1, 2, sharey=True)
    _distribution(before, counts, 1, "before scaling", "pixel value (0 black, 255 white)")
    _distribution(after, counts, _WHITE, "after scaling", "pixel value / 255 (0 black, 1 white)")
    before.set_ylabel(f"percent of the pixels\nin {_BIN} values (logarithmic)", fontsize=TEXT)
    return figure


def _distribution(axes: Axes, counts: NDArray[Any], divisor: int, when: str, label: str) -> None:
    values, shares = np.arange(len(counts)) / divisor, counts / counts.sum()
    mean = float(values @ shares)
    deviation = float(np.sqrt((values - mean) ** 2 @ shares))
    edges = np.arange(0, len(counts) + 1, _BIN) / divisor
    axes.stairs(100 * shares.reshape(-1, _BIN).sum(axis=1), edges, fill=True, color=BLUE)
    axes.set_yscale("log")
    axes.set_title(f"{when}: mean {mean:.3g}, standard deviation {deviation:.3g}", fontsize=TEXT)
    axes.set_xlabel(label, fontsize=TEXT)
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.3)
