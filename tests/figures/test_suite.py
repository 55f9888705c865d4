"""Pictures of a suite: effects, and what accuracy costs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from figures.reading import check_inside, check_readable, texts
from matplotlib.colors import same_color
from matplotlib.text import Text

from mnist_bench.figures import suite as figures
from mnist_bench.figures.style import BLUE, VERMILION

EFFECTS = pd.DataFrame(
    [
        ("wide", "helps", 0.5, 0.3, 0.7, 10),
        ("a_name_that_is_longer_than_the_picture_has_room_for", "inconclusive", 0.1, -0.3, 0.5, 10),
        ("rotation", "hurts", -0.6, -0.8, -0.4, 8),
        ("alone", "inconclusive", np.nan, np.nan, np.nan, 0),
    ],
    columns=["variant", "verdict", "effect_pp", "effect_low_pp", "effect_high_pp", "pairs"],
)
POINTS = pd.DataFrame(
    [
        ("baseline", 98.85, 98.75, 98.95, 72_520.0, 10, False),
        ("small", 98.2, 98.0, 98.4, 9_000.0, 10, True),
        ("wide", 98.87, np.nan, np.nan, 70_000.0, 1, True),
        ("sigmoid", 28.0, 15.0, 41.0, 72_520.0, 10, False),
    ],
    columns=["variant", "test_accuracy_percent", "low_percent", "high_percent", "cost", "n", "front"],
)


def test_effects_and_their_intervals_are_drawn_where_they_are():
    """Each row has its interval and its point, coloured and shaped by the verdict, and the band that doesn't matter."""
    figure = figures.forest(EFFECTS, 0.1)
    (axes,) = figure.axes
    lines = [list(line.get_xdata()) for line in axes.lines[1:]]
    assert lines == [[0.3, 0.7], [0.5], [-0.3, 0.5], [0.1], [-0.8, -0.4], [-0.6]]
    assert axes.lines[2].get_marker() != axes.lines[6].get_marker()
    assert same_color(axes.lines[6].get_color(), VERMILION)
    band = axes.patches[0]
    assert (band.get_x(), band.get_x() + band.get_width()) == (-0.1, 0.1)
    assert axes.get_xscale() == "linear"


def test_a_forest_says_what_it_shows():
    """Names, effects, verdicts, unit, n and what the bars are stand in it; long names are shortened."""
    said = texts(figures.forest(EFFECTS, 0.1))
    assert {"wide", "+0.50 pp, helps", "−0.60 pp, hurts", "no pairs yet"} <= said
    assert any("percentage points" in text and "±0.1, too small to matter" in text for text in said)
    assert any("n = 0 to 10 pairs" in text and "95% intervals (Student's t)" in text for text in said)
    (long,) = (text for text in said if text.startswith("a_name"))
    assert len(long) == 26
    assert long.endswith("has_room_for")


def test_one_huge_effect_hides_no_others():
    """Where one effect is far larger the axis is logarithmic on the outside, and says so."""
    huge = pd.DataFrame([("sigmoid", "hurts", -70.0, -80.0, -60.0, 10)], columns=EFFECTS.columns)
    figure = figures.forest(pd.concat([EFFECTS, huge]), 0.1)
    (axes,) = figure.axes
    assert axes.get_xscale() == "symlog"
    assert any("logarithmic beyond ±1" in text for text in texts(figure))
    near, far = (axes.transAxes.inverted().transform(axes.transData.transform((x, 0)))[0] for x in (-0.6, 0))
    assert far - near > 0.1  # of the axes' width


def test_accuracy_stands_against_its_cost():
    """Every variant is a point with its interval, and the front is a line through its own points, cheapest first."""
    figure = figures.tradeoff(POINTS, "parameters")
    (axes,) = figure.axes
    others, front = (collection.get_offsets().tolist() for collection in axes.collections[-2:])
    assert others == [[72_520, 98.85], [72_520, 28]]
    assert front == [[9_000, 98.2], [70_000, 98.87]]
    assert same_color(axes.collections[-2].get_facecolor()[0], BLUE)
    assert [list(each) for each in axes.lines[0].get_xydata()] == front
    bars = [segment.tolist() for segment in axes.collections[0].get_segments()]
    assert bars[3] == [[72_520, 15.0], [72_520, 41.0]]
    assert {"baseline", "small", "wide", "parameters", "test accuracy (percent)"} <= texts(figure)
    assert any("n = 1 to 10 runs" in text and "95% intervals" in text for text in texts(figure))


def test_a_variant_far_below_presses_no_others_flat():
    """The axis shows the others, and the one that isn't on it is a mark on its edge, named with its accuracy."""
    figure = figures.tradeoff(POINTS, "parameters")
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert 97.5 < low < 98
    assert 98.95 < high < 99.1
    assert axes.lines[-1].get_marker() == "v"
    assert axes.lines[-1].get_xydata().tolist() == [[72_520, 0]]
    said = texts(figure)
    assert "sigmoid ↓ 28.0%" in said
    assert any("▼: far below" in text for text in said)
    assert not any("far below" in text for text in texts(figures.tradeoff(POINTS[:3], "parameters")))


def test_names_of_points_never_stand_in_one_another():
    """Variants that cost alike and are as accurate have names one below the other, in their order."""
    same = pd.concat([POINTS[:1]] * 12, ignore_index=True).assign(variant=[f"variant {n}" for n in range(12)])
    same["test_accuracy_percent"] += 0.001 * np.arange(12)
    figure = figures.tradeoff(same, "seconds")
    check_inside(figure)
    names = [text for text in figure.axes[0].texts if text.get_text().startswith("variant")]
    boxes = [Text.get_window_extent(name) for name in names]  # without their lines
    assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(boxes))


@pytest.mark.parametrize(
    "figure",
    [
        figures.forest(EFFECTS, 0.1),
        figures.forest(EFFECTS[3:], 0.1),
        figures.tradeoff(POINTS, "parameters"),
        figures.tradeoff(POINTS[:1], "parameters"),
    ],
)
def test_pictures_of_a_suite_can_be_read(figure):
    """Texts are large enough and inside, the file is a picture, and pyplot holds no figure."""
    check_readable(figure)
    check_inside(figure)
