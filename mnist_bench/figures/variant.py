"""Pictures of a variant, over its seeds: learning curves, and what is mistaken for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mnist_bench.figures.style import (
    GREEN,
    GREY,
    NARROW,
    ORANGE,
    PARTS,
    SHARP,
    SMALL,
    TEXT,
    accuracy_scale,
    positive_scale,
    row_percents,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Bands = Mapping[str, pd.DataFrame]  # by metric; a row an epoch: mean, low, high

__all__ = ["confusion_change", "confusion_mean", "curves_over_seeds"]

_BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.155), "ncols": 2, "fontsize": SMALL, "frameon": False}
_MOST_COUNTED = 12  # classes, of whose matrix each cell has room for its figure
_EVEN = 0.179  # the luminance on which black and white contrast alike
_LEAST_SHARE = 0.1  # percent, of the true class: what is as rare or rarer has the lightest colour


def curves_over_seeds(  # noqa: PLR0913 - what is drawn, what is marked, what it is called
    title: str,
    runs: int,
    bands: Bands,
    *,
    best: int | None = None,
    overfits: int | None = None,
    reference: Bands | None = None,
) -> Figure:
    """Loss and accuracy over the epochs: the mean of the seeds, and a band from the lowest to the highest of them.

    Args:
        title: which variant this is.
        runs: how many.
        bands: of `train_loss`, `train_accuracy` in [0, 1], and `val_…` where images are held out.
        best: the epoch of the least validation loss, to be marked.
        overfits: the epoch from which it has risen, likewise.
        reference: the baseline's, whose validation curves are drawn too, or training curves where it has none.
    """
    figure = Figure(figsize=(NARROW, 4.8), dpi=SHARP)
    figure.subplots_adjust(left=0.17, right=0.97, top=0.9, bottom=0.235, hspace=0.1)
    panels = figure.subplots(2, 1, sharex=True)
    marks = [
        (best, GREEN, ":", f"least val. loss: epoch {best}"),
        (overfits, ORANGE, "-.", f"overfits from epoch {overfits}"),
    ]
    for axes, quantity in zip(panels, ("loss", "accuracy"), strict=True):
        _panel(axes, quantity, bands, reference)
        for epoch, colour, line, name in marks:
            if epoch is not None:
                axes.axvline(epoch, color=colour, linestyle=line, label=name)
    panels[1].set_xlabel("epoch", fontsize=TEXT)
    panels[1].xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    figure.legend(*panels[0].get_legend_handles_labels(), **_BELOW)
    figure.suptitle(
        f"{shortened(title, 30)}, n = {_runs(runs)}\nmean; band: lowest to highest run",
        fontsize=TEXT,
    )
    return figure


def confusion_mean(matrix: NDArray[np.float64], title: str, runs: int) -> Figure:
    """How many images of each class are taken for which, in the mean of the runs; coloured by the share of the class.

    Args:
        matrix: (classes, classes) counts; rows the truth, columns the prediction.
        title: which variant this is.
        runs: how many.
    """
    shares = row_percents(matrix)
    figure, axes = _square(
        f"{shortened(title, 30)}: images, mean of {_runs(runs)}\nn = {matrix.sum():,.0f} test images"
    )
    _heat(
        axes,
        np.maximum(shares, _LEAST_SHARE),
        np.vectorize(_count)(matrix),
        "share of the true class (percent)",
        norm=LogNorm(_LEAST_SHARE, 100),
        cmap="Blues",
    )
    return figure


def confusion_change(difference: NDArray[np.float64], title: str, runs: int, images: int) -> Figure:
    """By how much more often than in the baseline each class is taken for which.

    Args:
        difference: (classes, classes), in percentage points of the true class; rows the truth, columns the prediction.
        title: which variant this is.
        runs: how many.
        images: of the test part, how many.
    """
    figure, axes = _square(f"{shortened(title, 20)} less baseline, mean of {_runs(runs)}\nn = {images:,} test images")
    limit = max(float(np.abs(difference).max()), _LEAST_SHARE)
    label = "difference (percentage points of the true class)"
    _heat(axes, difference, np.vectorize(_change)(difference), label, vmin=-limit, vmax=limit, cmap="PuOr_r")
    return figure


def _panel(axes: Axes, quantity: str, bands: Bands, reference: Bands | None) -> None:
    """Draw the curves of a quantity, "loss" or "accuracy"."""
    scale = 100 if quantity == "accuracy" else 1
    drawn = []
    if reference:
        part = "val" if f"val_{quantity}" in reference else "train"
        mean = scale * reference[f"{part}_{quantity}"]["mean"]
        axes.plot(mean.index, mean, color=GREY, linewidth=1, label=f"baseline, {PARTS[part][2]}")
        drawn.append(mean.to_numpy())
    for part, (colour, line, name) in PARTS.items():
        if f"{part}_{quantity}" in bands:
            band = scale * bands[f"{part}_{quantity}"]
            axes.fill_between(band.index, band["low"], band["high"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(band.index, band["mean"], color=colour, linestyle=line, label=name)
            if len(band) == 1:  # a line would not be seen
                axes.lines[-1].set_marker("o")
            drawn.append(band[["mean", "low", "high"]].to_numpy().ravel())
    figures = np.concatenate(drawn)
    if quantity == "accuracy":
        accuracy_scale(axes, figures)
    else:
        positive_scale(axes, "y", figures)
    axes.set_ylabel({"loss": "loss (nats an image)", "accuracy": "accuracy (percent)"}[quantity], fontsize=TEXT)
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.3)


def _square(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(NARROW, 4.8), dpi=SHARP)
    figure.subplots_adjust(left=0.12, right=0.98, top=0.9, bottom=0.12)
    figure.suptitle(title, fontsize=TEXT)
    return figure, figure.add_subplot()


def _heat(axes: Axes, values: NDArray[np.float64], texts: NDArray[np.str_], label: str, **colours: Any) -> None:
    """A heat map with a figure in each cell, where there is room for it, and its scale below."""
    sns.heatmap(
        values,
        annot=texts if len(values) <= _MOST_COUNTED else None,
        fmt="",
        annot_kws={"fontsize": SMALL},
        cbar_kws={"orientation": "horizontal", "fraction": 0.045, "pad": 0.13, "shrink": 0.9},
        linewidths=0.3,
        linecolor="#dddddd",
        square=True,
        ax=axes,
        **colours,
    )
    for text, colour in zip(axes.texts, axes.collections[0].get_facecolor(), strict=False):  # no texts of many classes
        # Whichever contrasts more (WCAG's measure): seaborn sets white on colours that are too light for it.
        text.set_color("black" if sns.utils.relative_luminance(colour) > _EVEN else "white")
    axes.tick_params(labelsize=SMALL, rotation=0, length=0)
    axes.set_xlabel("predicted class", fontsize=TEXT)
    axes.set_ylabel("true class", fontsize=TEXT)
    bar = axes.figure.axes[-1]
    bar.tick_params(labelsize=SMALL)
    bar.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    bar.set_xlabel(label, fontsize=SMALL)


def _count(images: float) -> str:
    if images < 0.05:  # noqa: PLR2004 - what would be 0.0
        return ""
    return f"{images:.1f}" if images < 9.95 else f"{images:.0f}"  # noqa: PLR2004 - what would be 10.0


def _change(points: float) -> str:
    if abs(points) < 0.05:  # noqa: PLR2004 - what would be 0.0
        return ""
    return (f"{points:+.1f}" if abs(points) < 9.95 else f"{points:+.0f}").replace("-", "−")  # noqa: PLR2004 - likewise


def _runs(count: int) -> str:
    return f"{count} {'run' if count == 1 else 'runs'}"
