"""What of MLflow's tables is read and written here, as MLflow 3.17 has them."""

from __future__ import annotations

from sqlalchemy import TableClause, column, table

__all__ = [
    "DATASETS",
    "EXPERIMENTS",
    "EXPERIMENT_TAGS",
    "INPUTS",
    "INPUT_TAGS",
    "LATEST_METRICS",
    "METRICS",
    "PARAMS",
    "RUNS",
    "SCHEMA",
    "TAGS",
    "VERSION",
]

SCHEMA = "dc11669786a5"  # what the last of its migrations is called


def _table(name: str, columns: str) -> TableClause:
    return table(name, *map(column, columns.split()))


VERSION = _table("alembic_version", "version_num")
EXPERIMENTS = _table("experiments", "experiment_id name artifact_location lifecycle_stage")
EXPERIMENT_TAGS = _table("experiment_tags", "experiment_id key value")
RUNS = _table(
    "runs",
    "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version "
    "lifecycle_stage artifact_uri experiment_id",
)
TAGS, PARAMS = (_table(name, "run_uuid key value") for name in ("tags", "params"))
METRICS, LATEST_METRICS = (
    _table(name, "run_uuid key value timestamp step is_nan") for name in ("metrics", "latest_metrics")
)
DATASETS = _table("datasets", "dataset_uuid experiment_id name digest dataset_source_type dataset_source")
INPUTS = _table("inputs", "input_uuid source_type source_id destination_type destination_id step")
INPUT_TAGS = _table("input_tags", "input_uuid name value")
