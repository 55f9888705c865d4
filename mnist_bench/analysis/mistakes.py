"""Which classes, and which images, are mistaken for what, over all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Classes = NDArray[np.integer[Any]]

__all__ = ["confusion_difference", "mean_confusion", "most_often_wrong", "taken_for"]


def taken_for(chosen: NDArray[np.bool_], runs: Classes, truth: Classes) -> pd.DataFrame:
    """The chosen images, each with the class that most of the runs mistake it for, the lowest of equals.

    Args:
        chosen: which, (images,).
        runs: what each run predicts, (runs, images).
        truth: the images' classes, (images,).

    Returns:
        a row an image: image (its index), truth, taken_for.
    """
    predicted, classes = runs[:, chosen], truth[chosen]  # (runs, chosen), (chosen,)
    known = np.arange(max(predicted.max(initial=0), truth.max()) + 1)
    votes = (predicted[:, :, None] == known).sum(axis=0)  # (chosen, classes)
    votes[np.arange(len(classes)), classes] = 0
    return pd.DataFrame({"image": np.flatnonzero(chosen), "truth": classes, "taken_for": votes.argmax(axis=1)})


def most_often_wrong(runs: Classes, truth: Classes, count: int) -> pd.DataFrame:
    """The images that most runs get wrong, `count` of them at most: those first that more do, then by index.

    Args:
        runs: what each run predicts, (runs, images).
        truth: the images' classes, (images,).
        count: how many.

    Returns:
        as `taken_for`, and wrong: how many runs get the image wrong, at least one.
    """
    wrong = (runs != truth).sum(axis=0)  # (images,)
    first = np.argsort(-wrong, kind="stable")[:count]
    chosen = np.zeros(len(truth), dtype=bool)
    chosen[first[wrong[first] > 0]] = True
    table = taken_for(chosen, runs, truth).assign(wrong=wrong[chosen])
    return table.sort_values("wrong", ascending=False, kind="stable", ignore_index=True)


def mean_confusion(matrices: Sequence[NDArray[np.integer[Any]]]) -> NDArray[np.float64]:
    """Counts of images by truth and prediction, in the mean of the runs, (classes, classes)."""
    return np.asarray(np.mean(matrices, axis=0), dtype=np.float64)


def confusion_difference(matrix: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how many percentage points of the true class two confusion matrices differ, (classes, classes)."""
    return 100 * (_shares(matrix) - _shares(baseline))


def _shares(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))
