"""Pictures of a suite: the effects of its variants, and what accuracy costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from mnist_bench.figures.style import (
    BLUE,
    GREEN,
    GREY,
    NARROW,
    SHARP,
    SMALL,
    TEXT,
    VERMILION,
    accuracy_scale,
    by_error,
    far_below,
    positive_scale,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["forest", "tradeoff"]

# Told apart by shape as well as by colour.
_LOOKS = {"helps": (GREEN, "^"), "hurts": (VERMILION, "v"), "equivalent": (BLUE, "s"), "inconclusive": (GREY, "o")}
_OUTLIER = 15  # times the median bound: from there on a linear axis would hide the others
_LINE = 0.17  # inches, of a line of small text


def forest(effects: pd.DataFrame, smallest_effect_pp: float) -> Figure:
    """The effect of each variant on test accuracy against the baseline, with its interval and verdict, a row each.

    The axis is logarithmic on the outside where one effect is far larger than the others.

    Args:
        effects: variant, verdict, effect_pp, effect_low_pp, effect_high_pp (NaN where unknown) and pairs.
        smallest_effect_pp: half the width of the band in which effects don't matter.
    """
    rows = effects.to_dict("records")
    figure = Figure(figsize=(NARROW, 1.25 + 0.4 * len(rows)), dpi=SHARP, layout="constrained")
    axes = figure.add_subplot()
    axes.axvspan(-smallest_effect_pp, smallest_effect_pp, color=BLUE, alpha=0.15, linewidth=0)
    axes.axvline(0, color="black", linewidth=0.8)
    for place, row in enumerate(rows):
        _effect(axes, place, row)
    _effect_scale(axes, effects)
    axes.set_ylim(len(rows) - 0.4, -0.9)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.tick_params(labelsize=SMALL)
    axes.set_xlabel(f"{axes.get_xlabel()}\nshaded: ±{smallest_effect_pp:g}, too small to matter", fontsize=SMALL)
    axes.set_title(
        f"effect against the baseline, n = {_range(effects['pairs'], 'pair')}\nbars: 95% intervals (Student's t)",
        fontsize=TEXT,
    )
    return figure


def tradeoff(points: pd.DataFrame, label: str) -> Figure:
    """Test accuracy against what it costs, a point a variant with its interval; the Pareto front as a line.

    Variants far below the others, which would press those flat, are marks on the lower edge, named with their accuracy.

    Args:
        points: variant, test_accuracy_percent, low_percent, high_percent (NaN where unknown), cost, n (runs), and
            front (bool): whether the variant is on the Pareto front.
        label: what the cost is, with its unit.
    """
    height = max(3.2, 1.1 + _LINE * len(points))  # inches
    figure = Figure(figsize=(NARROW, height), dpi=SHARP)
    axes = figure.subplots()
    figure.subplots_adjust(left=0.2, right=0.61, top=1 - 0.45 / height, bottom=0.55 / height)
    accuracy = points["test_accuracy_percent"].to_numpy()
    bounds = points[["low_percent", "high_percent"]].to_numpy().T  # (2, variants)
    errors = np.nan_to_num(np.abs(np.clip(bounds, 0, 100) - accuracy))
    far = far_below(by_error(accuracy))
    _accuracies(axes, np.concatenate([(accuracy - errors[0])[~far], (accuracy + errors[1])[~far]]))
    positive_scale(axes, "x", [*points["cost"]])
    front = points[points["front"]].sort_values("cost")
    axes.step(front["cost"], front["test_accuracy_percent"], where="post", color=VERMILION, linewidth=1.2, zorder=1)
    axes.errorbar(points["cost"], accuracy, errors, fmt="none", ecolor=GREY, elinewidth=1, zorder=2)
    for there, colour in ((points[~points["front"]], BLUE), (front, VERMILION)):
        axes.scatter(there["cost"], there["test_accuracy_percent"], color=colour, s=20, zorder=3)
    for cost, on_front in points.loc[far, ["cost", "front"]].to_numpy():
        colour = VERMILION if on_front else BLUE
        axes.plot(cost, 0, "v", color=colour, transform=axes.get_xaxis_transform(), clip_on=False, zorder=3)
    axes.margins(x=0.15)
    axes.set_xlabel(label, fontsize=TEXT)
    axes.set_ylabel("test accuracy (percent)", fontsize=TEXT)
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.3)
    _name(axes, points, far, height)
    told = "line: the Pareto front" + ("; ▼: far below" if far.any() else "")
    figure.suptitle(f"mean of n = {_range(points['n'], 'run')}, 95% intervals\n{told}", fontsize=TEXT)
    return figure


def _effect(axes: Axes, place: int, row: Mapping[Hashable, Any]) -> None:
    colour, marker = _LOOKS[row["verdict"]]
    known = not np.isnan(row["effect_pp"])
    if known and not np.isnan(row["effect_low_pp"]):
        axes.plot([row["effect_low_pp"], row["effect_high_pp"]], [place, place], color=colour, linewidth=2)
    if known:
        axes.plot(row["effect_pp"], place, marker=marker, color=colour, markersize=6)
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": SMALL, "va": "center"}
    beside["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # over the lines behind it
    told = f"{row['effect_pp']:+.2f} pp, {row['verdict']}".replace("-", "−") if known else "no pairs yet"
    axes.text(0, place - 0.42, shortened(row["variant"], 26), ha="left", **beside)
    axes.text(1, place - 0.42, told, ha="right", color=colour, **beside)


def _effect_scale(axes: Axes, effects: pd.DataFrame) -> None:
    label = "test accuracy, difference (percentage points"
    axes.xaxis.set_major_locator(MaxNLocator(6))
    bounds = effects[["effect_pp", "effect_low_pp", "effect_high_pp"]].abs().max(axis=1).dropna()
    if len(bounds) and bounds.max() > _OUTLIER * bounds.median() > 0:
        linear = _round(float(bounds.median()))
        axes.set_xscale("symlog", linthresh=linear, linscale=1.5)
        beyond = [10.0**power for power in range(-2, 3) if 10.0**power > 2 * linear]
        axes.xaxis.set_major_locator(FixedLocator([sign * tick for tick in (0, linear, *beyond) for sign in (-1, 1)]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
        label += f";\nlogarithmic beyond ±{linear:g}"
    axes.set_xlabel(f"{label})")


def _round(figure: float) -> float:
    """The next larger of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(figure))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= figure))


def _accuracies(axes: Axes, percents: NDArray[np.float64]) -> None:
    """Scale and limit the y axis for these alone."""
    margin = 0.06 * max(float(np.ptp(percents)), 0.01)
    axes.set_ylim(percents.min() - margin, percents.max() + margin)
    accuracy_scale(axes, percents)


def _name(axes: Axes, points: pd.DataFrame, far: NDArray[np.bool_], figure_height: float) -> None:
    """Names in a column on the right, in the order of the points, each with a line to its own.

    Args:
        axes: whose scales are set.
        points: as `tradeoff` takes them.
        far: which of them are on the lower edge, and have their accuracy beside their name.
        figure_height: inches.
    """
    places = points[["cost", "test_accuracy_percent"]].to_numpy(dtype=float, copy=True)  # (variants, 2)
    names = [
        f"{shortened(name, 12)} ↓ {percent:.1f}%" if below else shortened(name, 19)
        for name, percent, below in zip(points["variant"], places[:, 1], far, strict=True)
    ]
    places[far, 1] = axes.get_ylim()[0]
    heights = (axes.transData + axes.transAxes.inverted()).transform(places)[:, 1]
    line = _LINE / (axes.get_position().height * figure_height)  # of the axes' height
    for name, place, height in zip(names, places, _spread(heights, line), strict=True):
        axes.annotate(
            name,
            xy=(place[0], place[1]),
            xytext=(1.06, height),
            textcoords="axes fraction",
            fontsize=SMALL,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "relpos": (0, 0.5), "shrinkA": 1},
        )


def _spread(heights: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """The heights, moved within the axes so that any two are `least` apart, in the same order.

    Runs of neighbours that are too close are centred on their mean: the least movement that is in order.
    """
    order = np.argsort(heights, kind="stable")
    steps = least * np.arange(len(heights))
    blocks: list[list[float]] = []
    for value in heights[order] - steps:
        blocks.append([float(value)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    spread = np.empty(len(heights))
    spread[order] = np.clip(np.concatenate([[np.mean(block)] * len(block) for block in blocks]), 0, 1 - steps[-1])
    spread[order] += steps
    return spread


def _range(counts: pd.Series[int], what: str) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low if low == high else f'{low} to {high}'} {what}{'' if high == 1 else 's'}"
