"""Where runs are recorded: one MLflow tracking store, always addressed explicitly."""

from __future__ import annotations

import contextlib
import functools
import gc
import socket
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mnist_bench.errors import MnistBenchError, StoreError
from mnist_bench.tracking.location import SQLITE, Location, escaped, locate, nothing_at, reason
from mnist_bench.tracking.migration import check
from mnist_bench.tracking.mlflow_defaults import set_mlflow_defaults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

    from mnist_bench.tracking.database import Database

__all__ = ["Store", "open_if_there", "open_store"]

_CONNECT_SECONDS = 5.0
_PAGE = 1000  # runs asked for at a time


@dataclass(frozen=True)
class Store:
    """An open store."""

    location: Location

    @functools.cached_property
    def client(self) -> MlflowClient:
        """MLflow's own, connected when it is first asked for: importing MLflow and connecting take seconds.

        Raises:
            StoreError: it can't be reached, or is no MLflow store.
        """
        with _told(self.location), _without_collection():
            client = _connect(self.location)
        gc.freeze()  # MLflow's modules stay: a full collection over them takes 0.3 s, which some recordings wait for
        return client

    @functools.cached_property
    def database(self) -> Database | None:
        """The database itself, where it is one that can be read without MLflow."""
        from mnist_bench.tracking.database import open_database  # noqa: PLC0415 - pandas and SQLAlchemy

        with _told(self.location):
            return open_database(self.location.uri)

    def artifact_location(self, experiment: str) -> str | None:
        """Where an experiment's artifacts go; None where the server decides."""
        if self.location.served:
            return None
        return (self.location.folder / "artifacts" / experiment).as_uri()

    def runs(self, experiment_id: str) -> list[Run]:
        """All runs of an experiment, parents and children, page by page."""
        with _without_collection():
            page = self.client.search_runs([experiment_id], max_results=_PAGE)
            runs = list(page)
            while page.token:
                page = self.client.search_runs([experiment_id], max_results=_PAGE, page_token=page.token)
                runs += page
        return runs

    def experiments(self) -> list[Experiment]:
        """All experiments that are not deleted, page by page."""
        found = self.client.search_experiments()
        experiments = list(found)
        while found.token:
            found = self.client.search_experiments(page_token=found.token)
            experiments += found
        return experiments

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Turn what MLflow and its database raise into one line.

        Raises:
            StoreError: the store can't be reached, or refuses.
        """
        try:
            yield
        except MnistBenchError:
            raise
        except Exception as failure:
            from mlflow.exceptions import MlflowException  # noqa: PLC0415 - not to be imported before it is needed
            from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

            # Of files, and of requests for them, MLflow passes on what the system says.
            if not isinstance(failure, (MlflowException, SQLAlchemyError, OSError)):
                raise
            raise StoreError(_one_line(self.location, failure)) from failure


def open_store(tracking_uri: str | None = None, *, create: bool = False) -> Store:
    """Open the store at `tracking_uri` (see `locate`), and bring a new database to MLflow's schema.

    Args:
        tracking_uri: SQLite, another database, or an MLflow server.
        create: whether a SQLite file that isn't there is made. A reader must not.

    Raises:
        OutdatedError: its schema is older than the installed MLflow's.
        StoreError: it isn't there, can't be reached, is no MLflow store, or is a newer MLflow's.
    """
    location = locate(tracking_uri)
    if not create:
        location.require()
    store = Store(location)
    with _told(location):
        _check_reachable(location, create=create)
        with _alone(location) if create else contextlib.nullcontext():
            if create:
                with _without_collection():
                    _make_database(location)
            if create or store.database is None:
                _ = store.client
    return store


def open_if_there(tracking_uri: str | None = None) -> Store | None:
    """The store at `tracking_uri`, as `open_store` opens it, or None where nothing was recorded there yet.

    Raises:
        StoreError: it can't be reached, or is no MLflow store.
    """
    database = locate(tracking_uri).database
    return None if database and not database.exists() else open_store(tracking_uri)


def _make_database(location: Location) -> None:
    """Make a database file whole or not at all: a migration that is killed half-way can't be gone on with."""
    database = location.database
    if database is None or (database.exists() and database.stat().st_size):
        return
    with tempfile.TemporaryDirectory(prefix=".new-", dir=location.folder) as folder:
        made = locate(f"{SQLITE}{escaped(Path(folder, database.name))}")
        # MLflow keeps a database open for as long as the process lives.
        _connect(made)._tracking_client.store.engine.dispose()  # noqa: SLF001 - there is no public way
        Path(folder, database.name).replace(database)


def _connect(location: Location) -> MlflowClient:
    set_mlflow_defaults()
    from mlflow import MlflowClient  # noqa: PLC0415 - takes 1.5 s

    if not location.served:
        check(location)
    client = MlflowClient(location.uri)
    if location.served:
        client.search_experiments(max_results=1)  # the client itself doesn't connect
    return client


@contextlib.contextmanager
def _told(location: Location) -> Iterator[None]:
    """Turn whatever goes wrong in connecting into one line."""
    try:
        yield
    except StoreError:
        raise
    # Each database driver has its own exceptions, and a missing driver is an ImportError.
    except Exception as failure:
        raise StoreError(_one_line(location, failure)) from failure


def _check_reachable(location: Location, *, create: bool) -> None:
    """Fail at once where MLflow would try ten times over 100 s: a database that isn't one, or isn't there."""
    if location.database:
        location.folder.mkdir(parents=True, exist_ok=True)
        if location.database.exists():
            _check_database(location.database, create=create)
        return
    parts = urlsplit(location.uri)
    if not location.served and parts.hostname and parts.port:
        with socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT_SECONDS):
            pass


def _check_database(path: Path, *, create: bool) -> None:
    """Keep MLflow from writing its tables into a file that is something else."""
    try:
        # To write, though it only reads: what a killed process left half-written has to be rolled back first.
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as fault:
        raise StoreError(f"{path} can't be read as a SQLite database: {fault}") from fault
    if not tables and not create:
        raise StoreError(nothing_at(path))
    if tables and "experiments" not in tables:
        raise StoreError(f"{path} is a SQLite database of something else than MLflow: name another file")


@contextlib.contextmanager
def _alone(location: Location) -> Iterator[None]:
    """Hold other writers off while a database file is made: two that migrate at once collide."""
    if location.database is None:
        yield
        return
    import fcntl  # noqa: PLC0415 - absent on Windows, where readers still work

    with (location.folder / ".migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector off while many objects are made that stay: it takes a sixth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _one_line(location: Location, failure: Exception) -> str:
    return f"tracking store {location.address}: {reason(failure)}"
