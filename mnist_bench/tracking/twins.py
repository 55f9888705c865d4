"""Runs that were made twice: where an answer is lost, MLflow's client asks for the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_bench.tracking.translation import ENDED

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["make_the_one", "of_delivery", "the_one"]


def the_one(client: MlflowClient, experiment: str, which: str) -> Run | None:
    """The run that `which`, a filter of MLflow's, means; None if there is none yet.

    Of several it is one that was completed, or else the earliest; the others are deleted.
    """
    found = client.search_runs([experiment], which, order_by=["attributes.start_time ASC"])
    ranked = sorted(found, key=lambda run: run.info.status not in ENDED)
    for twin in ranked[1:]:
        client.delete_run(twin.info.run_id)
    return ranked[0] if ranked else None


def make_the_one(client: MlflowClient, experiment: str, which: str, **run: Any) -> Run:
    """Make a run, of which `which` means no other, and keep one of it; `run` is what `create_run` takes."""
    made = client.create_run(experiment, **run)
    return the_one(client, experiment, which) or made


def of_delivery(delivery: str) -> str:
    """The filter for the run that bears this delivery as a tag."""
    return f"tags.delivery = '{delivery}'"
