"""Confusion matrices, read from MLflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.errors import StoreError
from mnist_bench.tracking.artifacts import fetch
from mnist_bench.tracking.location import reason

if TYPE_CHECKING:
    from mlflow.entities import Run
    from numpy.typing import NDArray

    from mnist_bench.tracking.store import Store

__all__ = ["read_confusion"]

_FILE = "confusion.json"


def read_confusion(store: Store, run: Run) -> NDArray[np.int64]:
    """The confusion matrix of a finished run: (classes, classes), rows the truth.

    Raises:
        StoreError: it isn't there or can't be read.
    """
    run_id = run.info.run_id
    try:
        matrix = np.array(json.loads(fetch(store, run.info.artifact_uri, _FILE))["counts"], dtype=np.int64)
    except Exception as fault:  # each kind of store has its own, and a damaged file any
        raise StoreError(
            f"run {run_id}: its {_FILE} is missing or can't be read ({reason(fault)}): "
            "delete the run in MLflow's pages and run its suite again"
        ) from fault
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:  # noqa: PLR2004 - rows and columns
        raise StoreError(f"run {run_id}: its {_FILE} holds no square matrix: it was written over")
    return matrix
