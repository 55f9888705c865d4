"""Confusion matrices, read from MLflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.errors import StoreError
from mnist_bench.tracking.artifacts import fetch
from mnist_bench.tracking.location import reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mnist_bench.tracking.store import Store

__all__ = ["read_confusions"]

_FILE = "confusion.json"


def read_confusions(store: Store, run_ids: Iterable[str]) -> dict[str, NDArray[np.int64]]:
    """The confusion matrix of each finished run, by run id: (classes, classes), rows the truth.

    Raises:
        StoreError: there is no such run, its matrix isn't there or can't be read, or the store doesn't answer.
    """
    with store.answering():
        places = {run_id: store.client.get_run(run_id).info.artifact_uri for run_id in run_ids}
    return {run_id: _matrix(store, run_id, place) for run_id, place in places.items()}


def _matrix(store: Store, run_id: str, artifact_uri: str) -> NDArray[np.int64]:
    try:
        matrix = np.array(json.loads(fetch(store, artifact_uri, _FILE))["counts"], dtype=np.int64)
    except Exception as fault:  # each kind of store has its own, and a damaged file any
        raise StoreError(
            f"run {run_id}: its {_FILE} is missing or can't be read ({reason(fault)}): "
            "delete the run in MLflow's pages and run its suite again"
        ) from fault
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:  # noqa: PLR2004 - rows and columns
        raise StoreError(f"run {run_id}: its {_FILE} holds no square matrix: it was written over")
    return matrix
