"""What a finished run says of each test image, read from MLflow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_bench.errors import StoreError
from mnist_bench.tracking.artifacts import fetch
from mnist_bench.tracking.location import reason

if TYPE_CHECKING:
    from mlflow.entities import Run
    from numpy.typing import NDArray

    from mnist_bench.tracking.store import Store

__all__ = ["Predictions", "read_predictions"]

_FILE = "predictions.npz"


@dataclass(frozen=True, eq=False)
class Predictions:
    """The classes that a run predicts for the test images, and what it was a run of."""

    run_id: str
    suite: str
    variant: str  # by the name that it had when it was run
    seed: int
    dataset: str
    data_digest: str
    predicted: NDArray[np.integer[Any]]  # (n,)


def read_predictions(store: Store, run: Run) -> Predictions:
    """The predictions of a finished run, see `tracking.recorded.finished_run`.

    Raises:
        StoreError: they are not there or can't be read.
    """
    tags = run.data.tags
    return Predictions(
        run_id=run.info.run_id,
        suite=tags["suite"],
        variant=tags["variant"],
        seed=int(tags["seed"]),
        dataset=tags["dataset"],
        data_digest=tags["data_digest"],
        predicted=_predicted(store, run),
    )


def _predicted(store: Store, run: Run) -> NDArray[np.integer[Any]]:
    try:
        content = io.BytesIO(fetch(store, run.info.artifact_uri, _FILE))
        with np.load(content, allow_pickle=False) as archive:
            predicted = np.asarray(archive["predicted"])
    except Exception as fault:  # each kind of store has its own, and a damaged file makes NumPy raise nearly any
        raise StoreError(
            f"run {run.info.run_id}: its {_FILE} is missing or can't be read ({reason(fault)}): "
            "compare another, or delete the run in MLflow's pages and run its suite again"
        ) from fault
    if predicted.ndim != 1 or predicted.dtype.kind not in "iu":
        raise StoreError(f"run {run.info.run_id}: its {_FILE} holds no class for each image: it was written over")
    return predicted
