"""One run as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["confusion_table", "epochs_table"]

_COLUMNS = {  # by metric: what stands over it, and its form
    "train_loss": ("training\nloss", ".4f"),
    "val_loss": ("validation\nloss", ".4f"),
    "train_accuracy": ("training\nacc., %", ".2f"),
    "val_accuracy": ("validation\nacc., %", ".2f"),
    "learning_rate": ("learning\nrate", ".2g"),
    "epoch_seconds": ("seconds", ".1f"),
}
_MOST_EPOCHS = 12


def epochs_table(history: Sequence[Mapping[str, float]]) -> Table:
    """The learning curves in figures: a row an epoch, of many epochs some, evenly spread, the last among them.

    Args:
        history: one mapping an epoch, as `RunResult.history` has them.
    """
    recorded = [metric for metric in _COLUMNS if history and metric in history[0]]
    table = _table("epoch", *(_COLUMNS[metric][0] for metric in recorded))
    for place in np.unique(np.linspace(0, len(history) - 1, min(_MOST_EPOCHS, len(history))).round().astype(int)):
        figures = history[place]
        scaled = {name: 100 * value if name.endswith("accuracy") else value for name, value in figures.items()}
        table.add_row(str(place + 1), *(format(scaled[metric], _COLUMNS[metric][1]) for metric in recorded))
    return table


def confusion_table(matrix: NDArray[np.int64]) -> Table:
    """Counts by true class (rows) and predicted class (columns), with recall and precision in percent.

    Args:
        matrix: (classes, classes) counts.
    """
    table = _table("true", *map(str, range(len(matrix))), "recall,\n%")
    hits, of_truth, of_prediction = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    for label, row in enumerate(matrix):
        counts = [str(count) if count else "·" for count in row]
        table.add_row(str(label), *counts, _percent(hits[label], of_truth[label]))
    table.add_section()
    precisions = [_percent(*both) for both in zip(hits, of_prediction, strict=True)]
    table.add_row("prec., %", *precisions, _percent(hits.sum(), matrix.sum()))
    return table


def _percent(part: np.int64, whole: np.int64) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    for header in headers:
        table.add_column(header, justify="right")
    return table
