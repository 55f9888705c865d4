"""Pictures of a study."""

from __future__ import annotations

import io

import pytest
from matplotlib import image
from matplotlib import pyplot as plt
from tuning.searching import Bench

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
