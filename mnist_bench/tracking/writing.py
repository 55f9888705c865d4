"""A whole run, written to MLflow's database in one transaction: through MLflow's client it takes a dozen."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from mnist_bench.tracking import translation
from mnist_bench.tracking.mlflow_tables import DATASETS, INPUT_TAGS, INPUTS, LATEST_METRICS, METRICS, PARAMS, RUNS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlflow.entities import DatasetInput, Metric, Param
    from sqlalchemy import Connection, TableClause

    from mnist_bench.specs import RunResult

__all__ = ["WholeRun", "whole_run", "write"]

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


def whole_run(  # noqa: PLR0913 - what it is, and where it belongs
    result: RunResult, *, run_id: str, experiment: str, parent: str, delivery: str, artifact_uri: str
) -> WholeRun:
    """All that is recorded of a result, under these identities."""
    return WholeRun(
        run_id=run_id,
        experiment=experiment,
        name=translation.run_name(result.spec),
        status=translation.status(result),
        start_time=translation.milliseconds(result.started_at),
        end_time=translation.milliseconds(result.started_at + result.seconds),
        artifact_uri=artifact_uri,
        tags=translation.run_tags(result, parent=parent, delivery=delivery),
        params=translation.params(result.spec),
        metrics=translation.metrics(result),
        dataset=translation.dataset_input(result.spec),
    )


def write(connection: Connection, run: WholeRun) -> None:
    """Write a run as MLflow's client does, call by call; one that is there already is left as it is."""
    if connection.scalar(select(RUNS.c.run_uuid).where(RUNS.c.run_uuid == run.run_id)):
        return
    points = list({_point(metric): None for metric in run.metrics})
    points.sort(key=lambda point: (point[3], point[2], point[1]))  # step, timestamp, value
    latest = {point[0]: point for point in points}
    _insert(connection, RUNS, [_run(run)])
    _insert(connection, TAGS, _values(run, {**run.tags, "mlflow.runName": run.name}))
    _insert(connection, PARAMS, _values(run, {each.key: each.value[:_LONGEST_PARAM] for each in run.params}))
    _insert(connection, METRICS, _rows(run, points))
    _insert(connection, LATEST_METRICS, _rows(run, latest.values()))
    _write_input(connection, run)


def _point(metric: Metric) -> tuple[str, float, int, int, bool]:
    """A metric's value as the database holds it: key, value, timestamp, step, whether it is NaN."""
    nan = math.isnan(metric.value)
    value = 0.0 if nan else max(-_LARGEST, min(metric.value, _LARGEST))
    return metric.key, value, metric.timestamp, metric.step, nan


def _rows(run: WholeRun, points: Iterable[tuple[str, float, int, int, bool]]) -> list[dict[str, Any]]:
    return [
        {"run_uuid": run.run_id, "key": key, "value": value, "timestamp": timestamp, "step": step, "is_nan": nan}
        for key, value, timestamp, step, nan in points
    ]


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
    which = {"experiment_id": int(run.experiment), "name": dataset.name, "digest": dataset.digest}
    identity = connection.scalar(select(DATASETS.c.dataset_uuid).filter_by(**which))
    if identity is None:
        identity = uuid.uuid4().hex
        source = {"dataset_source_type": dataset.source_type, "dataset_source": dataset.source}
        _insert(connection, DATASETS, [{"dataset_uuid": identity, **which, **source}])
    tie = {"input_uuid": uuid.uuid4().hex, "source_type": "DATASET", "source_id": identity}
    _insert(connection, INPUTS, [tie | {"destination_type": "RUN", "destination_id": run.run_id, "step": 0}])
    tags = [{"input_uuid": tie["input_uuid"], "name": tag.key, "value": tag.value} for tag in run.dataset.tags]
    _insert(connection, INPUT_TAGS, tags)


def _insert(connection: Connection, into: TableClause, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(into), rows)
