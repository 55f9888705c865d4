"""Pictures of a study: Optuna's own, and where more layers and units stop helping."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from optuna.exceptions import ExperimentalWarning
from optuna.visualization import matplotlib as optunas

from mnist_bench.figures.style import BLUE, DPI, SMALL, TEXT, VERMILION, to_png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from optuna import Study
    from optuna.trial import FrozenTrial

    from mnist_bench.tuning.choice import Saturation

__all__ = ["pictures", "saturation_figure"]

_ACCURACY = "validation accuracy"
_FEWEST = 2  # finished trials that differ: of fewer Optuna draws nothing, or raises
_INCHES_AN_AXIS = 1.2


def pictures(study: Study, saturations: Sequence[Saturation]) -> dict[str, bytes]:
    """PNG files by name; none of Optuna's where fewer than two trials that differ have finished.

    History, importances, parallel coordinates and slices of the validation accuracy; the Pareto front of several
    objectives; validation loss against numbers and widths of layers.
    """
    files = {"saturation.png": to_png(saturation_figure(saturations))} if saturations else {}
    finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    if len({tuple(trial.values) for trial in finished}) < _FEWEST or not any(trial.params for trial in finished):
        return files
    aimed: dict[str, Any] = {"target_name": _ACCURACY}
    if len(study.directions) > 1:
        aimed["target"] = _accuracy  # otherwise Optuna knows itself, and which direction is the better one
    drawings: dict[str, Callable[[], Any]] = {
        "history.png": lambda: optunas.plot_optimization_history(study, **aimed),
        "importances.png": lambda: optunas.plot_param_importances(study, **aimed),
        "parallel_coordinates.png": lambda: optunas.plot_parallel_coordinate(study, **aimed),
        "slices.png": lambda: optunas.plot_slice(study, **aimed),
    }
    if len(study.directions) > 1:
        drawings["pareto_front.png"] = lambda: optunas.plot_pareto_front(study)
    return files | {name: _drawn(draw) for name, draw in drawings.items()}


def saturation_figure(saturations: Sequence[Saturation]) -> Figure:
    """A panel for each factor: the validation losses of its levels, their medians, and the point where they level off.

    Losses on a logarithmic axis, since a search also tries what hardly learns.
    """
    figure = Figure(figsize=(3.2 * len(saturations), 3.2), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(saturations), squeeze=False, sharey=True)[0]
    for axes, saturation in zip(panels, saturations, strict=True):
        _panel(axes, saturation)
    panels[0].set_ylabel("validation loss (nats an image)", fontsize=TEXT)
    return figure


def _panel(axes: Axes, saturation: Saturation) -> None:
    values = [level.value for level in saturation.levels]
    for place, level in enumerate(saturation.levels):
        axes.plot([place] * len(level.losses), level.losses, ".", color=BLUE, alpha=0.5)
    medians = [float(np.median(level.losses)) for level in saturation.levels]
    axes.plot(range(len(values)), medians, "-", color=BLUE, label="median")
    if saturation.point is not None:
        axes.axvline(values.index(saturation.point), color=VERMILION, linestyle="--", label="no decrease beyond")
    axes.set_yscale("log")
    axes.set_xticks(range(len(values)), [str(value) for value in values])
    axes.set_xlabel(saturation.factor, fontsize=TEXT)
    axes.legend(fontsize=SMALL)


def _accuracy(trial: FrozenTrial) -> float:
    return float(trial.values[0])


def _drawn(draw: Callable[[], Any]) -> bytes:
    """What one of Optuna's functions draws by pyplot, as PNG; pyplot is left as it was."""
    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - only once it can't open a window

    buffer = io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)  # of layouts that don't quite fit
        axes = draw()
        figure = np.ravel(axes)[0].figure
        # Optuna gives parallel coordinates one width, however many: their labels would stand in one another.
        figure.set_figwidth(max(figure.get_figwidth(), _INCHES_AN_AXIS * len(figure.axes)))
        figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
        plt.close(figure)
    return buffer.getvalue()
