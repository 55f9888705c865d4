"""Pictures of one run, without pyplot: workers draw many, and none may leave a figure open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_bench.figures.style import DPI, PARTS, SMALL, TEXT, row_percents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["confusion_heatmap", "learning_curves"]


def learning_curves(history: Sequence[Mapping[str, float]], title: str) -> Figure:
    """Loss and accuracy, in percent, over the epochs of a run; points where it had one epoch, gaps at NaN.

    Args:
        history: one mapping an epoch, with `train_loss`, `train_accuracy`, and `val_…` where images are held out.
        title: which run this is.
    """
    figure = Figure(figsize=(8, 3.2), dpi=DPI)
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.16, top=0.86, wspace=0.22)
    figure.suptitle(f"{title} ({len(history)} epochs)", fontsize=TEXT + 1)
    loss, accuracy = figure.subplots(1, 2)
    _curves(loss, history, "loss", "loss (nats an image)", 1)
    _curves(accuracy, history, "accuracy", "accuracy (percent)", 100)
    return figure


def confusion_heatmap(matrix: np.ndarray, title: str) -> Figure:
    """Counts of images by truth and prediction, and under each its share of the truth's images, which colours it too.

    Args:
        matrix: (classes, classes) counts; rows the truth, columns the prediction.
        title: which run this is.
    """
    shares = row_percents(matrix)
    side = max(5.0, 0.5 * len(matrix))  # inches
    figure = Figure(figsize=(side + 1, side), dpi=DPI)
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.1, top=0.92)
    axes = figure.add_subplot()
    sns.heatmap(
        shares,
        vmin=0,
        vmax=100,
        cmap="cividis",  # made for colour-blind readers
        annot=_cells(matrix, shares),
        fmt="",
        annot_kws={"fontsize": SMALL},
        cbar_kws={"label": "share of the true class (percent)"},
        square=True,
        ax=axes,
    )
    axes.tick_params(labelsize=SMALL, rotation=0)
    axes.set_xlabel("predicted class", fontsize=TEXT)
    axes.set_ylabel("true class", fontsize=TEXT)
    told = f"{title} (n = {matrix.sum():,} images)\nin each cell: images, and percent of the true class"
    axes.set_title(told, fontsize=TEXT + 1)
    return figure


def _cells(matrix: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What stands in each cell of the heat map: nothing where there is no image."""
    told = [f"{count:,}\n{share:.1f}" if count else "" for count, share in zip(matrix.flat, shares.flat, strict=True)]
    return np.reshape(told, matrix.shape)


def _curves(axes: Axes, history: Sequence[Mapping[str, float]], quantity: str, label: str, scale: float) -> None:
    epochs = range(1, len(history) + 1)
    for part, (colour, line, name) in PARTS.items():
        metric = f"{part}_{quantity}"
        if any(metric in epoch for epoch in history):
            values = [scale * epoch.get(metric, np.nan) for epoch in history]
            axes.plot(epochs, values, color=colour, linestyle=line, marker="o", markersize=3, label=name)
    axes.set_xlabel("epoch", fontsize=TEXT)
    axes.set_ylabel(label, fontsize=TEXT)
    axes.tick_params(labelsize=SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=SMALL, loc="upper right" if quantity == "loss" else "lower right")  # off the curves
