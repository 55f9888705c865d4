"""What all pictures share: colours, sizes of text, scales, and how a figure becomes a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BLUE",
    "DPI",
    "GREEN",
    "GREY",
    "NARROW",
    "ORANGE",
    "PARTS",
    "SHARP",
    "SMALL",
    "TEXT",
    "VERMILION",
    "accuracy_scale",
    "by_error",
    "far_below",
    "positive_scale",
    "row_percents",
    "shortened",
    "to_png",
]

# Okabe and Ito's, told apart by every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE, GREY = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#767676"
# How the two parts' curves are drawn, and what they are called; the dashes serve without colours.
PARTS = {"train": (BLUE, "-", "training"), "val": (VERMILION, "--", "validation")}
DPI = 100
SHARP = 200  # dots an inch, of pictures that stand on a page
NARROW = 3.6  # inches: a telephone's width, so that text keeps its size there
SMALL, TEXT = 8, 9  # points

_WIDE_RANGE = 5.0  # the ratio of largest to smallest from which on a logarithmic scale shows more
_FAR = 3.0  # the ratio of a gap to the range above it from which on it presses that flat: into a quarter of the axis
_FEWEST = 3  # figures whose range says something
_LEAST_ERROR = 0.01  # percent: one image of 10,000
# Percent, where ticks may be, by how many decades of the error the axis has to show.
_ACCURACIES = {
    1.2: (0, 30, 50, 60, 70, 80, 85, 90, 93, 95, 96, 97, 98, 98.5, 99, 99.3, 99.5, 99.7, 99.8, 99.9, 99.95),
    2.4: (0, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99),
    9.0: (0, 50, 90, 95, 99, 99.5, 99.9, 99.95, 99.99),
}
# Where ticks are within a decade, by how many decades an axis has to show: labels beside one another need more room.
_STEPS = {
    "x": {1.0: (1.0, 2.0, 5.0), 2.0: (1.0, 3.0), np.inf: (1.0,)},
    "y": {2.0: (1.0, 2.0, 5.0), 3.0: (1.0, 3.0), np.inf: (1.0,)},
}


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    # Packed lightly: the least of the time, for a few kilobytes more.
    FigureCanvasAgg(figure).print_png(buffer, pil_kwargs={"compress_level": 1})  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def row_percents(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Counts (classes, classes) as percentages of their rows; 0 in an empty one."""
    return np.asarray(100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))


def shortened(name: str, most: int) -> str:
    """A name in `most` characters at most, its middle left out where it is longer."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[: most - 1 - half]}…{name[-half:]}"


def accuracy_scale(axes: Axes, percents: ArrayLike) -> None:
    """Scale the y axis for accuracies in percent: by the logarithm of the error where errors are of different sizes.

    Otherwise one bad variant would press all good ones into one line.
    """
    shown = np.clip(np.asarray(percents, dtype=float), 0, 100 - _LEAST_ERROR)
    errors = 100 - shown
    if errors.max() / errors.min() < _WIDE_RANGE:
        axes.yaxis.set_major_locator(MaxNLocator(5))
        return
    axes.set_yscale("function", functions=(by_error, _to_accuracy))
    low, high = by_error([shown.min(), shown.max()])
    margin = 0.06 * (high - low)
    axes.set_ylim(float(_to_accuracy(low - margin)), float(_to_accuracy(high + margin)))
    ticks = next(ticks for decades, ticks in _ACCURACIES.items() if high - low < decades)
    axes.yaxis.set_major_locator(FixedLocator([each for each in ticks if each <= shown.max() + _LEAST_ERROR]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def positive_scale(axes: Axes, which: str, figures: ArrayLike) -> None:
    """Scale the `x` or `y` axis for positive figures: logarithmically where they are of different sizes."""
    axis, shown = getattr(axes, f"{which}axis"), np.asarray(figures, dtype=float)
    if shown.min() <= 0 or shown.max() / shown.min() < _WIDE_RANGE:
        axis.set_major_locator(MaxNLocator(3))
    else:
        getattr(axes, f"set_{which}scale")("log")
        decades = float(np.log10(shown.max() / shown.min()))
        axis.set_major_locator(LogLocator(subs=next(subs for most, subs in _STEPS[which].items() if decades < most)))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_plain))


def by_error(percent: ArrayLike) -> NDArray[np.float64]:
    """Accuracies in percent as the scale of errors has them: one more is an error of a tenth."""
    return np.asarray(-np.log10(np.maximum(100 - np.asarray(percent, dtype=float), _LEAST_ERROR / 2)))


def far_below(figures: ArrayLike) -> NDArray[np.bool_]:
    """Which figures lie so far below the better half that an axis which shows them presses that flat."""
    given = np.asarray(figures, dtype=float)
    ranked = np.sort(given)[::-1]
    gaps, ranges = ranked[:-1] - ranked[1:], ranked[0] - ranked[:-1]  # below each, and down to it
    kept = np.arange(1, len(ranked))
    wide = (ranges > 0) & (gaps > _FAR * ranges) & (kept >= max(_FEWEST, len(ranked) / 2))
    return given < (ranked[:-1][wide][0] if wide.any() else -np.inf)


def _plain(value: float, _: int) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"  # noqa: PLR2004 - a thousand


def _to_accuracy(scaled: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(100 - 10 ** -np.asarray(scaled, dtype=float))
