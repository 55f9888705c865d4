"""Scales that hide nothing, and names that fit."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from mnist_bench.figures.style import accuracy_scale, far_below, positive_scale, shortened


def _labels(axis):
    axis.figure.draw_without_rendering()
    low, high = sorted(axis.get_view_interval())
    return [
        label.get_text()
        for label, place in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
        if low <= place <= high
    ]


def test_accuracies_that_lie_close_have_a_linear_scale():
    """Of 98.2 and 98.9 percent the ticks are evenly spaced."""
    axes = Figure().add_subplot()
    accuracy_scale(axes, [98.2, 98.9])
    assert axes.get_yscale() == "linear"


@pytest.mark.parametrize("percents", [[10, 99.3], [0, 100], [90, 99.95], [28, 98.9, 98.85]])
def test_accuracies_far_apart_are_scaled_by_their_error(percents):
    """One bad variant leaves room for the good ones, whole accuracies are inside, and some ticks are shown."""
    axes = Figure().add_subplot()
    accuracy_scale(axes, percents)
    low, high = axes.get_ylim()
    assert low < min(percents)
    assert high >= min(max(percents), 99.99)
    places = [axes.transAxes.inverted().transform(axes.transData.transform((0, y)))[1] for y in (98, 99)]
    assert places[1] - places[0] > 0.04  # of the axes' height; on a linear scale 0.01
    assert len(_labels(axes.yaxis)) >= 3


def test_figures_of_different_sizes_have_a_logarithmic_scale():
    """Parameters are told in thousands, with no more labels than stand side by side."""
    axes = Figure(figsize=(2, 2)).add_subplot()
    positive_scale(axes, "x", [7_850, 244_522])
    axes.set_xlim(7_000, 250_000)
    assert axes.get_xscale() == "log"
    assert _labels(axes.xaxis) == ["10k", "30k", "100k"]
    positive_scale(axes, "y", [1.0, 2.0])
    assert axes.get_yscale() == "linear"


def test_what_is_not_positive_has_no_logarithm():
    """A loss of nothing stays on a linear scale."""
    axes = Figure().add_subplot()
    positive_scale(axes, "y", [0.0, 1.0])
    assert axes.get_yscale() == "linear"


def test_long_names_lose_their_middle():
    """Both ends of a name tell it from others; what fits stays whole."""
    assert shortened("average_pooling", 15) == "average_pooling"
    assert shortened("average_pooling_twice", 11) == "avera…twice"


@pytest.mark.parametrize(
    ("figures", "far"),
    [
        ([0.97, 0.1, 0.98, 0.975], [0.1]),
        ([0.97, 0.1, 0.98, 0.12, 0.975, 0.11], [0.1, 0.11, 0.12]),
        ([0.97, 0.1, 0.98], []),
        ([0.9, 0.92, 0.95, 0.98], []),
        ([0.1, 0.12, 0.98, 0.11], []),
        ([0.98, 0.98, 0.98, 0.97], []),
        ([0.98], []),
    ],
    ids=["one", "half", "too few", "near", "most", "all alike", "alone"],
)
def test_what_would_press_the_better_half_flat_is_found(figures, far):
    """What lies below a wide gap is far below, unless most do, or unless there's no range that it could press."""
    assert sorted(np.array(figures)[far_below(figures)]) == far
