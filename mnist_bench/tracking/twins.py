"""Runs that were made twice: where an answer is lost, MLflow's client asks for the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_bench.tracking.translation import ENDED

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["the_one"]


def the_one(client: MlflowClient, experiment: str, which: str) -> Run | None:
    """The run that `which`, a filter of MLflow's, means; None if there is none yet.

    Of several it is one that was completed, or else the earliest; the others are deleted.
    """
    found = client.search_runs([experiment], which, order_by=["attributes.start_time ASC"])
    ranked = sorted(found, key=lambda run: run.info.status not in ENDED)
    for twin in ranked[1:]:
        client.delete_run(twin.info.run_id)
    return ranked[0] if ranked else None
