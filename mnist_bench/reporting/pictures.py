"""The pictures of a report, each with what it shows in words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mnist_bench.analysis.mistakes import confusion_difference
from mnist_bench.analysis.pareto import pareto_front
from mnist_bench.analysis.words import signed
from mnist_bench.figures.mistakes import wrong_images
from mnist_bench.figures.style import to_png
from mnist_bench.figures.suite import forest, tradeoff
from mnist_bench.figures.variant import confusion_change, confusion_mean, curves_over_seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mnist_bench.reporting.evidence import Evidence, Learning, Mistakes

__all__ = ["Picture", "effects", "mistakes", "of_variant", "tradeoffs"]

_COLOURS = 256  # of a picture: two fifths of the bytes, and no eye sees the difference
_TOLD = 3  # pairs of classes
_COSTS = {
    "parameters": ("parameters (weights of the model)", "parameters", ",.0f"),
    "seconds_a_run": ("seconds a run (median)", "seconds a run", ",.1f"),
}


@dataclass(frozen=True)
class Picture:
    """A PNG file, and what it shows for those who don't see it."""

    name: str  # of the file
    png: bytes
    alt: str

    @property
    def width(self) -> int:
        """How wide it is to be shown, in CSS's pixels, of which 96 are an inch."""
        with Image.open(io.BytesIO(self.png)) as image:
            return round(96 * image.width / float(image.info["dpi"][0]))


def effects(evidence: Evidence) -> Picture | None:
    """The forest plot of the effects; None where nothing was run beside a baseline."""
    judged = evidence.board[evidence.board["verdict"].notna()]
    if judged.empty:
        return None
    told = "; ".join(map(str, judged["sentence"]))
    figure = forest(judged, evidence.suite.smallest_effect_pp)
    return _picture("effects.png", figure, f"Forest plot of the effects on test accuracy. {told}.")


def tradeoffs(evidence: Evidence) -> Iterator[Picture]:
    """Accuracy against parameters, and against seconds; nothing where no run is finished."""
    finished = evidence.board[evidence.board["finished"] > 0].reset_index(drop=True)
    if finished.empty:
        return
    for cost, (label, word, form) in _COSTS.items():
        front = pareto_front([*finished[cost]], [*finished["test_accuracy_percent"]])
        points = finished.assign(cost=finished[cost], n=finished["finished"], front=front)
        told = ", ".join(
            f"{row['variant']} ({row['test_accuracy_percent']:.2f}%, {row[cost]:{form}} {word})"
            for row in points[points["front"]].sort_values("cost").to_dict("records")
        )
        alt = f"Test accuracy against {word}, {len(points)} variants. On the Pareto front: {told}."
        yield _picture(f"accuracy_{cost}.png", tradeoff(points, label), alt)


def of_variant(evidence: Evidence, variant: str) -> Iterator[Picture]:
    """The learning curves, the confusion matrix and its difference to the baseline's, of a variant that has run."""
    learning, matrix = evidence.learning[variant], evidence.confusions[variant]
    baseline = evidence.suite.variants.loc[evidence.suite.variants["role"] == "baseline", "variant"]
    reference = next((name for name in baseline if name in evidence.learning and name != variant), None)
    if learning.bands:
        figure = curves_over_seeds(
            variant,
            learning.runs,
            learning.bands,
            best=learning.best,
            overfits=learning.overfits,
            reference=evidence.learning[reference].bands if reference else None,
        )
        yield _picture(
            "curves.png", figure, f"Learning curves of {variant}, {learning.runs} runs. {_learned(learning)}"
        )
    told = f"Confusion matrix of {variant}, mean of {learning.runs} runs. Most often mistaken: {_most(matrix)}."
    yield _picture("confusion.png", confusion_mean(matrix, variant, learning.runs), told)
    if reference:
        difference = confusion_difference(matrix, evidence.confusions[reference])
        figure = confusion_change(difference, variant, learning.runs, round(matrix.sum()))
        alt = f"Confusion matrix of {variant} less the {reference}'s. Recognition changes most: {_changes(difference)}."
        yield _picture("confusion_change.png", figure, alt)


def mistakes(found: Mistakes) -> Picture:
    """The images that are most often got wrong."""
    told = "; ".join(
        f"image {row['image']}, a {row['truth']}, mistaken for {row['taken_for']}, wrong in {row['wrong']}"
        for row in found.table.to_dict("records")
    )
    figure = wrong_images(found.table, found.images, found.runs)
    return _picture(
        "wrong_images.png", figure, f"The test images that {found.runs} runs most often get wrong: {told or 'none'}."
    )


def _picture(name: str, figure: Figure, alt: str) -> Picture:
    """A figure as a small file."""
    with Image.open(io.BytesIO(to_png(figure))) as image:
        buffer = io.BytesIO()
        few = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(buffer, "PNG", optimize=True, dpi=(figure.dpi, figure.dpi))
    return Picture(name, buffer.getvalue(), alt)


def _learned(learning: Learning) -> str:
    last = {metric: float(band["mean"].iloc[-1]) for metric, band in learning.bands.items()}
    parts = [f"Training loss ends at {last['train_loss']:.3g}"]
    if learning.best is None:
        return f"{parts[0]}; no images were held out."
    parts.append(f"validation loss at {last['val_loss']:.3g}, least at epoch {learning.best}")
    return f"{', '.join(parts)}; {overfitting(learning)}."


def overfitting(learning: Learning) -> str:
    """Whether and from when a variant overfits, where images were held out."""
    if learning.overfits is None:
        return "no overfitting is shown"
    return f"overfitting is shown from epoch {learning.overfits}"


def _most(matrix: NDArray[np.float64]) -> str:
    """The largest figures off the diagonal."""
    off = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    largest = [divmod(int(place), len(matrix)) for place in np.argsort(-off, axis=None, kind="stable")[:_TOLD]]
    told = [
        f"{truth} for {predicted} ({off[truth, predicted]:.1f} images)"
        for truth, predicted in largest
        if off[truth, predicted]
    ]
    return ", ".join(told) or "nothing"


def _changes(difference: NDArray[np.float64]) -> str:
    """The largest changes on the diagonal."""
    recalls = np.diag(difference)
    largest = np.argsort(-np.abs(recalls), kind="stable")[:_TOLD]
    return ", ".join(f"class {label} ({signed(float(recalls[label]))} pp)" for label in largest)
