"""What MLflow has of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mnist_bench.errors import StoreError
from mnist_bench.specs import RunSpec

if TYPE_CHECKING:
    from mlflow.entities import Run

    from mnist_bench.tracking.store import Store

__all__ = ["finished_run", "read_spec"]


def finished_run(store: Store, run_id: str) -> Run:
    """MLflow's own record of a finished run of one seed.

    Raises:
        StoreError: there is no such run of one seed, it is a search's trial or isn't finished, or the store doesn't
            answer.
    """
    with store.answering():
        run = store.client.get_run(run_id)
    tags = run.data.tags
    if "run_key" not in tags:
        raise StoreError(f"run {run_id} is not a run of one seed: give the id of one, which stands under its variant")
    if "trial" in tags:
        raise StoreError(
            f"run {run_id} is a search's trial, which has seen no test image: give a run of the suite that confirmed it"
        )
    if run.info.status != "FINISHED":
        state = f"failed ({tags['cause']})" if "cause" in tags else f"is {run.info.status.lower()}"
        raise StoreError(f"run {run_id} {state}: only a finished run has predictions")
    return run


def read_spec(run: Run) -> RunSpec:
    """What was trained in a run.

    Raises:
        StoreError: a version that knew other fields recorded it.
    """
    try:
        return RunSpec.model_validate_json(run.data.tags["spec"])
    except ValidationError:
        raise StoreError(
            f"run {run.info.run_id} was recorded by another version of mnist-bench: run its suite again"
        ) from None
