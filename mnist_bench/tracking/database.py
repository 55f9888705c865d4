"""MLflow's database, read by a handful of queries over whole tables: MLflow's client makes an object of each value.

Only a schema that is known is read and written so, and `open_database` says whether it is that. Importing this module
imports no MLflow.
"""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy
from sqlalchemy import case, null, select

from mnist_bench.tracking.location import locate
from mnist_bench.tracking.migration import check
from mnist_bench.tracking.mlflow_tables import (
    EXPERIMENT_TAGS,
    EXPERIMENTS,
    LATEST_METRICS,
    PARAMS,
    RUNS,
    SCHEMA,
    TAGS,
    VERSION,
)
from mnist_bench.tracking.translation import ENDED
from mnist_bench.tracking.writing import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, Select, TableClause

    from mnist_bench.tracking.writing import WholeRun

__all__ = ["Database", "open_database"]

_KINDS = ("sqlite", "postgresql")
_SQLITE = (
    "PRAGMA cache_size = -262144",  # KiB; with its own 2 MB it reads a large table's pages again and again
    "PRAGMA busy_timeout = 20000",  # milliseconds, and foreign keys, as MLflow has them
    "PRAGMA foreign_keys = ON",
)


def open_database(uri: str) -> Database | None:
    """The database at a tracking URI; None if it is none that can be read here: a server, or another schema.

    Raises:
        StoreError: the schema is older or newer than that of the MLflow that is installed.
        SQLAlchemyError: it doesn't answer.
    """
    if not uri.startswith(_KINDS):
        return None
    database = Database(sqlalchemy.create_engine(uri, pool_pre_ping=True))
    schema = database.schema()
    if schema is None:  # nothing was recorded there yet
        return None
    if schema != SCHEMA:
        check(locate(uri))
        logging.getLogger(__name__).warning(
            "The tracking database has MLflow's schema %s, not %s: it is read by MLflow's client, many times slower.",
            schema,
            SCHEMA,
        )
        return None
    return database


class Database:
    """An MLflow database of the known schema. Its methods raise SQLAlchemyError where it doesn't answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locations: dict[str, str] = {}  # where the artifacts of each experiment are, by its id
        if engine.dialect.name == "sqlite":
            sqlalchemy.event.listen(engine, "connect", _set_up_sqlite)
        weakref.finalize(self, engine.dispose)

    def schema(self) -> str | None:
        """The mark of MLflow's last migration; None where there was none."""
        with self._engine.connect() as connection:
            there = sqlalchemy.inspect(connection).has_table(VERSION.name)
            return connection.scalar(select(VERSION.c.version_num)) if there else None

    def experiments(self) -> list[tuple[str, str, dict[str, str]]]:
        """Id, name and tags of each experiment that isn't deleted."""
        e, t = EXPERIMENTS.c, EXPERIMENT_TAGS.c
        query = (
            select(e.experiment_id, e.name, t.key, t.value)
            .select_from(EXPERIMENTS.outerjoin(EXPERIMENT_TAGS, t.experiment_id == e.experiment_id))
            .where(e.lifecycle_stage == "active")
        )
        found: dict[str, tuple[str, str, dict[str, str]]] = {}
        with self._engine.connect() as connection:
            for number, name, key, value in connection.execute(query):
                _, _, tags = found.setdefault(str(number), (str(number), name, {}))
                if key is not None:
                    tags[key] = value
        return list(found.values())

    def tagged(self, experiment: str, tag: str, params: Sequence[str]) -> dict[str, dict[str, str]]:
        """Of the few runs that have `tag`, all tags, and these parameters, by run id."""
        which = _of(experiment, TAGS, tag, TAGS.c.run_uuid)
        found: dict[str, dict[str, str]] = {}
        with self._engine.connect() as connection:
            for values, wanted in ((TAGS, ()), (PARAMS, [PARAMS.c.key.in_(params)])):
                c = values.c
                query = select(c.run_uuid, c.key, c.value).where(c.run_uuid.in_(which), *wanted)
                for run, key, value in connection.execute(query):
                    found.setdefault(run, {})[key] = value
        return found

    def ended(self, experiment: str, tags: Sequence[str], metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """The runs that finished or failed, a row each, the latest first.

        Columns: run_id, status, start_time and end_time (milliseconds since 1970), each of `tags`, and the last value
        of each of `metrics`, or of all. What a run hasn't recorded is missing; a metric that none has, has no column.
        """
        with self._engine.connect() as connection:
            runs = _ended(connection, experiment)
            for tag in tags:
                found = connection.execute(_of(experiment, TAGS, tag, TAGS.c.run_uuid, TAGS.c.value))
                runs[tag] = _series(found, object).reindex(runs.index)
            value = case((LATEST_METRICS.c.is_nan, null()), else_=LATEST_METRICS.c.value)
            for metric in _metrics(connection, experiment) if metrics is None else metrics:
                found = connection.execute(_of(experiment, LATEST_METRICS, metric, LATEST_METRICS.c.run_uuid, value))
                values = _series(found, float)
                if len(values):
                    runs[metric] = values.reindex(runs.index)
        return runs.reset_index(drop=True)

    def artifact_location(self, experiment: str) -> str:
        """The URI under which each run of an experiment has a folder."""
        if experiment not in self._locations:
            query = select(EXPERIMENTS.c.artifact_location).where(EXPERIMENTS.c.experiment_id == int(experiment))
            with self._engine.connect() as connection:
                self._locations[experiment] = connection.execute(query).scalar_one()
        return self._locations[experiment]

    def write(self, run: WholeRun) -> None:
        """Record a whole run at once, or not at all; one that is there already is left as it is."""
        with self._engine.begin() as connection:
            write(connection, run)


def _set_up_sqlite(connection: Any, _: Any) -> None:
    for setting in _SQLITE:
        connection.execute(setting)


def _ended(connection: Connection, experiment: str) -> pd.DataFrame:
    c = RUNS.c
    query = (
        select(c.run_uuid, c.status, c.start_time, c.end_time)
        .where(*_active(experiment), c.status.in_(ENDED))
        .order_by(c.start_time.desc(), c.run_uuid)
    )
    rows = connection.execute(query).fetchall()
    runs = pd.DataFrame(list(map(tuple, rows)), columns=["run_id", "status", "start_time", "end_time"])
    return runs.set_index("run_id", drop=False)


def _metrics(connection: Connection, experiment: str) -> list[str]:
    query = (
        select(LATEST_METRICS.c.key)
        .join(RUNS, RUNS.c.run_uuid == LATEST_METRICS.c.run_uuid)
        .where(*_active(experiment))
    )
    return list(connection.scalars(query.distinct().order_by(LATEST_METRICS.c.key)))


def _of(experiment: str, values: TableClause, key: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """A value of each of an experiment's runs, by its key."""
    joined = select(*columns).join_from(values, RUNS, RUNS.c.run_uuid == values.c.run_uuid)
    return joined.where(values.c.key == key, *_active(experiment))


def _active(experiment: str) -> list[ColumnElement[bool]]:
    return [RUNS.c.experiment_id == int(experiment), RUNS.c.lifecycle_stage == "active"]


def _series(found: CursorResult[Any], kind: type) -> pd.Series[Any]:
    """Values by run id."""
    rows: Sequence[Any] = found.fetchall()
    return pd.Series([row[1] for row in rows], index=[row[0] for row in rows], dtype=kind)
