"""Finding and opening a store."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from services import free_port

from mnist_bench.errors import StoreError
from mnist_bench.tracking import locate, open_store, store


def test_the_default_store_lies_here(tmp_path, monkeypatch):
    """Without a URI the store, its outbox and its artifacts lie in `mlruns` of the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    location = locate()
    assert location.database == tmp_path / "mlruns" / "mlflow.db"
    assert location.outbox == tmp_path / "mlruns" / "outbox"


def test_the_environment_names_a_store(monkeypatch):
    """MLFLOW_TRACKING_URI names the store, and an explicit URI goes before it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there:5000")
    assert locate().uri == "http://there:5000"
    assert locate("sqlite:////here.db").database == Path("/here.db")


def test_each_server_has_its_own_outbox():
    """What waits for one server is never delivered to another."""
    assert locate("http://one:5000").outbox != locate("http://two:5000").outbox


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://me:se@cret@there:5000", "http://me:***@there:5000"),
        ("postgresql://me:secret@there/runs", "postgresql://me:***@there/runs"),
        ("postgresql://there/runs?password=secret&x=1", "postgresql://there/runs?password=***&x=1"),
        ("http://there:5000/a", "http://there:5000/a"),
    ],
)
def test_an_address_is_shown_without_its_password(uri, shown):
    """Whatever shows a store's address leaves out the password."""
    assert locate(uri).address == shown


@pytest.mark.parametrize("uri", ["mlruns", "file:///there", "/there/mlflow.db"])
def test_refuses_what_is_no_tracking_uri(uri):
    """A path is refused with the URI's form, before MLflow makes a folder of that name."""
    with pytest.raises(StoreError, match="is no tracking URI: give sqlite:///"):
        locate(uri)


def test_a_reader_makes_no_store(tmp_path):
    """Reading where nothing was recorded says so, and leaves nothing behind."""
    with pytest.raises(StoreError, match=r"nothing recorded yet at .*run `mnist-bench run` first"):
        open_store(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["plain", "with space", "50%", "what?"])
def test_a_database_lies_where_its_path_says(store, tmp_path, name):
    """A folder's name may hold what a URI gives another meaning."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(store.location.database.read_bytes())
    escaped = str(folder).replace("%", "%25").replace("?", "%3F")
    opened = open_store(f"sqlite:///{escaped}/mlflow.db")
    opened.client.create_experiment("made", opened.artifact_location("made"))
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        assert ("made",) in database.execute("SELECT name FROM experiments").fetchall()


def test_refuses_a_file_that_is_no_database(tmp_path):
    """A file that isn't SQLite is named at once; MLflow would try for 100 s."""
    (tmp_path / "mlflow.db").write_text("no database at all, but a text")
    with pytest.raises(StoreError, match="can't be read as a SQLite database"):
        open_store(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.parametrize("create", [True, False])
def test_another_programs_database_is_left_alone(tmp_path, create):
    """Neither a reader nor a writer puts MLflow's tables into a database of something else."""
    path = tmp_path / "mine.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="of something else than MLflow"):
        open_store(f"sqlite:///{path}", create=create)
    assert path.read_bytes() == before


def test_a_reader_does_not_fill_an_empty_file(tmp_path):
    """An empty database holds nothing that was recorded, and stays empty."""
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreError, match="nothing recorded yet"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == b""


def test_a_store_in_memory_is_refused():
    """What is recorded in memory would be gone with the process."""
    with pytest.raises(StoreError, match="names no file"):
        locate("sqlite://")


def test_a_server_that_is_not_there_is_told_within_seconds():
    """A refused connection becomes one line, without the password, and soon."""
    port = free_port()
    start = time.perf_counter()
    with pytest.raises(StoreError) as refused:
        open_store(f"http://me:secret@127.0.0.1:{port}")
    assert time.perf_counter() - start < 15
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert f"http://me:***@127.0.0.1:{port}" in str(refused.value)


HALF_WRITTEN = """
import os, signal, sqlite3
database = sqlite3.connect("mlflow.db", isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("CREATE TABLE experiments (text)")
database.execute("BEGIN")
for _ in range(500):
    database.execute("INSERT INTO experiments VALUES (hex(randomblob(500)))")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_half_written_is_rolled_back(tmp_path):
    """A database with the journal of a process that was killed while it wrote is looked into, not refused."""
    subprocess.run([sys.executable, "-c", HALF_WRITTEN], cwd=tmp_path, check=False)
    path = tmp_path / "mlflow.db"
    assert (tmp_path / "mlflow.db-journal").stat().st_size
    store._check_database(path, create=False)
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM experiments").fetchone() == (0,)
