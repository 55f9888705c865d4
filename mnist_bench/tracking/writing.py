"""A whole run, written to MLflow's database in one transaction: through MLflow's client it takes a dozen."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, insert, select, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import DatasetInput, Metric, Param
    from sqlalchemy import Connection, TableClause

__all__ = ["WholeRun", "write"]

_LONGEST_PARAM = 6000  # characters: MLflow cuts longer ones off
_LARGEST = 1.7976931348623157e308  # what MLflow writes for infinity


@dataclass(frozen=True, kw_only=True)
class WholeRun:
    """All that is recorded of a run."""

    run_id: str
    experiment: str
    name: str
    status: str
    start_time: int  # milliseconds since 1970
    end_time: int
    artifact_uri: str
    tags: Mapping[str, str]
    params: Sequence[Param]
    metrics: Sequence[Metric]
    dataset: DatasetInput


def write(connection: Connection, run: WholeRun) -> None:
    """Write a run as MLflow's client does, call by call; one that is there already is left as it is."""
    runs = _table("runs", "run_uuid")
    if connection.scalar(select(runs.c.run_uuid).where(runs.c.run_uuid == run.run_id)):
        return
    metrics = list(dict.fromkeys(_metric(each) for each in run.metrics))
    latest = {each.key: each for each in sorted(metrics, key=lambda each: (each.step, each.timestamp, each.value))}
    _insert(connection, "runs", [_run(run)])
    _insert(connection, "tags", _values(run, {**run.tags, "mlflow.runName": run.name}))
    _insert(connection, "params", _values(run, {each.key: each.value[:_LONGEST_PARAM] for each in run.params}))
    _insert(connection, "metrics", [each.row(run) for each in metrics])
    _insert(connection, "latest_metrics", [each.row(run) for each in latest.values()])
    _write_input(connection, run)


@dataclass(frozen=True)
class _Point:
    """A metric's value as the database holds it."""

    key: str
    value: float
    timestamp: int
    step: int
    is_nan: bool

    def row(self, run: WholeRun) -> dict[str, Any]:
        return {**vars(self), "run_uuid": run.run_id}


def _metric(metric: Metric) -> _Point:
    value = 0.0 if math.isnan(metric.value) else max(-_LARGEST, min(metric.value, _LARGEST))
    return _Point(metric.key, value, metric.timestamp, metric.step, math.isnan(metric.value))


def _run(run: WholeRun) -> dict[str, Any]:
    return {
        "run_uuid": run.run_id,
        "name": run.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": run.tags.get("mlflow.user", "unknown"),
        "status": run.status,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": run.artifact_uri,
        "experiment_id": int(run.experiment),
    }


def _values(run: WholeRun, values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value, "run_uuid": run.run_id} for key, value in values.items()]


def _write_input(connection: Connection, run: WholeRun) -> None:
    """The dataset, which an experiment has once, and the run's tie to it."""
    dataset = run.dataset.dataset
    known = _table("datasets", "dataset_uuid", "experiment_id", "name", "digest")
    which = {"experiment_id": int(run.experiment), "name": dataset.name, "digest": dataset.digest}
    identity = connection.scalar(select(known.c.dataset_uuid).filter_by(**which))
    if identity is None:
        identity = uuid.uuid4().hex
        source = {"dataset_source_type": dataset.source_type, "dataset_source": dataset.source}
        _insert(connection, "datasets", [{"dataset_uuid": identity, **which, **source}])
    tie = {"input_uuid": uuid.uuid4().hex, "source_type": "DATASET", "source_id": identity}
    _insert(connection, "inputs", [tie | {"destination_type": "RUN", "destination_id": run.run_id, "step": 0}])
    tags = [{"input_uuid": tie["input_uuid"], "name": tag.key, "value": tag.value} for tag in run.dataset.tags]
    _insert(connection, "input_tags", tags)


def _insert(connection: Connection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(_table(name, *rows[0])), rows)


def _table(name: str, *columns: str) -> TableClause:
    return table(name, *map(column, columns))
