"""Pictures of a study: Optuna's own, and where more layers and units stop helping."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from optuna import create_study
from optuna.exceptions import ExperimentalWarning
from optuna.visualization import matplotlib as optunas

from mnist_bench.figures.style import BLUE, DPI, SMALL, TEXT, VERMILION, far_below, positive_scale, to_png

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase
    from numpy.typing import NDArray
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
    objectives; validation loss against numbers and widths of layers. Trials far below the others are marks on the lower
    edge of history and slices, and not among the parallel coordinates.
    """
    files = {"saturation.png": to_png(saturation_figure(saturations))} if saturations else {}
    finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    if len({tuple(trial.values) for trial in finished}) < _FEWEST or not any(trial.params for trial in finished):
        return files
    aimed: dict[str, Any] = {"target_name": _ACCURACY}
    if len(study.directions) > 1:
        aimed["target"] = _accuracy  # otherwise Optuna knows itself, and which direction is the better one
    accuracies = np.array([_accuracy(trial) for trial in finished])
    drawings: dict[str, Callable[[], Any]] = {
        "history.png": lambda: _near(optunas.plot_optimization_history(study, **aimed), accuracies),
        "importances.png": lambda: optunas.plot_param_importances(study, **aimed),
        "parallel_coordinates.png": lambda: _without_far(study, finished, accuracies, aimed),
        "slices.png": lambda: _near(_few_ticks(optunas.plot_slice(study, **aimed)), accuracies),
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


def _near(drawn: Any, accuracies: NDArray[np.float64]) -> Any:
    """Show the accuracies that are near one another; count and mark those far below, which would press them flat."""
    far = far_below(accuracies)
    if not far.any():
        return drawn
    near = accuracies[~far]
    margin = 0.05 * np.ptp(near)
    for axes in np.ravel(drawn):
        places = _places(axes)
        there = places[places[:, 1] < near.min(), 0]
        axes.set_ylim(near.min() - margin, near.max() + margin)
        axes.plot(there, [0.02] * len(there), "v", color=VERMILION, transform=axes.get_xaxis_transform())
    _tell_far(axes.figure, "marked at the edge", far, accuracies)
    return drawn


def _without_far(
    study: Study, finished: Sequence[FrozenTrial], accuracies: NDArray[np.float64], aimed: Mapping[str, Any]
) -> Axes:
    """Parallel coordinates of the others alone, since neither their axis nor their colours would tell them apart."""
    far = far_below(accuracies)
    near = create_study(directions=study.directions)
    near.add_trials([trial for trial, left_out in zip(finished, far, strict=True) if not left_out])
    axes: Axes = optunas.plot_parallel_coordinate(near, **aimed)
    if far.any():
        _tell_far(axes.figure, "not shown", far, accuracies)
    return axes


def _tell_far(figure: FigureBase, how: str, far: NDArray[np.bool_], accuracies: NDArray[np.float64]) -> None:
    lowest, highest = (f"{100 * each:.2f}%" for each in (accuracies[far].min(), accuracies[far].max()))
    told = f"far below, {how}: {far.sum()} of {len(far)} trials, at {lowest}"
    told += "" if lowest == highest else f" to {highest}"
    figure.text(0.5, 1, told, ha="center", va="bottom", color=VERMILION)  # labels may stand below


def _few_ticks(drawn: Any) -> Any:
    """Let the labels of logarithmic axes stand apart."""
    for axes in np.ravel(drawn):
        if axes.get_xscale() == "log":
            positive_scale(axes, "x", _places(axes)[:, 0])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(_short))
    return drawn


def _places(axes: Axes) -> NDArray[np.float64]:
    """Where the points of a scatter plot are, (points, 2)."""
    return np.concatenate([np.asarray(points.get_offsets(), dtype=float) for points in axes.collections])


def _short(value: float, _: int) -> str:
    plain, powers = f"{value:g}", f"{value:.0e}".replace("e-0", "e-")
    return powers if float(powers) == float(plain) and len(powers) < len(plain) else plain


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
