"""Pictures of a study."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import optuna
import pytest
from matplotlib import image
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tuning.searching import Bench

from mnist_bench.tuning import pictures as module
from mnist_bench.tuning.choice import Level, Saturation, saturations
from mnist_bench.tuning.pictures import pictures, saturation_figure
from mnist_bench.tuning.study import tried

OPTUNAS = {"history.png", "importances.png", "parallel_coordinates.png", "slices.png"}


@pytest.mark.parametrize(
    ("objectives", "names"),
    [(("accuracy",), OPTUNAS), (("accuracy", "parameters"), OPTUNAS | {"pareto_front.png"})],
    ids=["one", "two"],
)
def test_every_picture_is_drawn(tmp_path, dataset, objectives, names):
    """Whole images, and pyplot has none of them open afterwards."""
    study = Bench(tmp_path, dataset, objectives=objectives).search(12)
    drawn = pictures(study, saturations(tried(study)))
    assert set(drawn) == names | {"saturation.png"}
    for content in drawn.values():
        assert image.imread(io.BytesIO(content)).std() > 0
    assert plt.get_fignums() == []


def test_two_trials_are_enough(tmp_path, dataset):
    """A short search has its pictures, and no traceback."""
    assert set(pictures(Bench(tmp_path, dataset).search(2), [])) == OPTUNAS


@pytest.mark.parametrize("trials", [0, 1])
def test_of_too_little_nothing_is_drawn(tmp_path, dataset, trials):
    """A search that was ended at once has no pictures, and no traceback either."""
    assert pictures(Bench(tmp_path, dataset).search(trials), []) == {}


def test_the_point_where_more_stops_helping_is_marked():
    """Each level's trials are drawn over it, and the line stands at the level that was found."""
    levels = (Level(1, (0.5, 0.4)), Level(2, (0.2,)), Level(4, (0.2, 0.3)))
    (axes,) = saturation_figure([Saturation("filters: layers", levels, 2, 2, 0.4)]).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4"]
    assert [len(line.get_xdata()) for line in axes.lines] == [2, 1, 2, 3, 2]
    assert set(axes.lines[-1].get_xdata()) == {1}
    assert axes.get_xlabel() == "filters: layers"


def test_trials_far_below_press_nothing_flat():
    """The axis shows the others, those below are marks on its edge, and how many and how low is said."""
    figure = Figure()
    axes = figure.add_subplot()
    accuracies = np.array([0.97, 0.1, 0.975, 0.98, 0.12])
    axes.scatter(range(5), accuracies)
    module._near(axes, accuracies)
    low, high = axes.get_ylim()
    assert 0.96 < low < 0.97
    assert 0.98 < high < 0.99
    assert axes.lines[0].get_xdata().tolist() == [1, 4]
    assert figure.texts[0].get_text() == "far below, marked at the edge: 2 of 5 trials, at 10.00% to 12.00%"


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_trials_far_below_are_not_among_the_parallel_coordinates():
    """The first axis and the colours tell the others apart, and what is left out is said."""
    study = optuna.create_study(direction="maximize")
    drawn = {"width": optuna.distributions.IntDistribution(1, 8)}
    accuracies = np.array([0.97, 0.1, 0.975, 0.98])
    for width, accuracy in enumerate(accuracies, start=1):
        study.add_trial(optuna.create_trial(params={"width": width}, distributions=drawn, value=accuracy))
    axes = module._without_far(study, study.trials, accuracies, {"target_name": "accuracy"})
    shown, said = axes.get_ylim(), [text.get_text() for text in axes.figure.texts]
    plt.close(axes.figure)
    assert shown == (0.97, 0.98)
    assert said == ["far below, not shown: 1 of 4 trials, at 10.00%"]


def test_where_none_is_far_below_the_axis_is_left_alone():
    """Nothing is marked or said, and every trial is on it."""
    figure = Figure()
    axes = figure.add_subplot()
    accuracies = np.array([0.97, 0.95, 0.975, 0.98])
    axes.scatter(range(4), accuracies)
    module._near(axes, accuracies)
    assert axes.get_ylim()[0] < 0.95
    assert (len(axes.lines), len(figure.texts)) == (0, 0)


@pytest.mark.parametrize(("low", "high"), [(2e-3, 7e-3), (1e-4, 1e-2), (1e-7, 1e-2), (16, 1024), (16, 60)])
def test_ticks_of_logarithmic_axes_stand_apart(low, high):
    """There are two labels at least on a slice's width, in their order, with room between them."""
    figure = Figure(figsize=(2.3, 4))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_xlim(low * 0.95, high * 1.05)
    axes.scatter([low, high], [0.9, 0.95])
    module._few_ticks(axes)
    FigureCanvasAgg(figure).draw()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels(which="both") if label.get_text()]
    shown = [box for box in boxes if axes.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1 + 1]
    assert len(shown) >= 2
    assert all(left.x1 < right.x0 for left, right in pairwise(shown))
