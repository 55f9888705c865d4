"""The schema of MLflow's database: one that isn't the installed MLflow's is refused, and an older one migrated."""

from __future__ import annotations

import contextlib
import sqlite3
from importlib import metadata
from typing import TYPE_CHECKING

from mnist_bench.errors import OutdatedError, StoreError
from mnist_bench.tracking.location import reason
from mnist_bench.tracking.mlflow_defaults import set_mlflow_defaults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from mnist_bench.tracking.location import Location

__all__ = ["check", "migrate"]


def check(location: Location) -> None:
    """Refuse a schema that MLflow's client would refuse in its own words, or migrate unasked and without a copy.

    Args:
        location: where the database is; one without a schema yet passes.

    Raises:
        OutdatedError: the installed MLflow has later migrations.
        StoreError: it doesn't know the last of this database's.
    """
    set_mlflow_defaults()
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - with MLflow, which takes 1.5 s
    from mlflow.store.db import utils  # noqa: PLC0415 - as above

    with _connected(location) as engine:
        schema = utils._get_schema_version(engine)  # type: ignore[no-untyped-call]  # noqa: SLF001 - no public way
    config = utils._get_alembic_config("")  # type: ignore[no-untyped-call]  # noqa: SLF001
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    if schema in {None, newest}:
        return
    told = f"tracking store {location.address} has MLflow's schema {schema}"
    mlflow = f"MLflow {metadata.version('mlflow')}"
    if schema not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(f"{told}, which this {mlflow} doesn't know, so a newer one made it: upgrade MLflow")
    how = f"keeps it as {_copy(location.database, schema).name}" if location.database else "a backup is yours to make"
    raise OutdatedError(f"{told}, older than this {mlflow}'s, {newest}: `mnist-bench doctor --fix` migrates it ({how})")


def migrate(location: Location) -> None:
    """Bring a database to the installed MLflow's schema, by its own migrations; of a SQLite file a copy is made first.

    Raises:
        StoreError: there is a copy already, or it can't be copied or migrated.
    """
    from mlflow.store.db import utils  # noqa: PLC0415 - takes 1.5 s

    try:
        with _connected(location) as engine:
            if location.database:
                schema = utils._get_schema_version(engine)  # type: ignore[no-untyped-call]  # noqa: SLF001
                _keep(location.database, _copy(location.database, schema))
            utils._upgrade_db(engine)  # type: ignore[no-untyped-call]  # noqa: SLF001 - what `mlflow db upgrade` does
    except StoreError:
        raise
    except Exception as failure:  # a migration may raise anything
        raise StoreError(f"the migration broke off: {reason(failure)}") from failure


@contextlib.contextmanager
def _connected(location: Location) -> Iterator[Engine]:
    from mlflow.store.db import utils  # noqa: PLC0415 - as above

    engine: Engine = utils.create_sqlalchemy_engine(location.uri)  # type: ignore[no-untyped-call]
    try:
        yield engine
    finally:
        engine.dispose()


def _copy(database: Path, schema: str) -> Path:
    return database.with_name(f"{database.name}.{schema}")


def _keep(database: Path, copy: Path) -> None:
    """Copy a database whole or not at all, and over nothing: an earlier copy may be of what then went wrong."""
    if copy.exists():
        raise StoreError(f"{copy} is there, so a migration broke off: put it back as {database.name}, or move it away")
    unfinished = copy.with_name(f".{copy.name}")
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        contextlib.closing(sqlite3.connect(unfinished)) as target,
    ):
        source.backup(target)
    unfinished.replace(copy)
