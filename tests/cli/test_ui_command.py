"""`mnist-bench ui`."""

from __future__ import annotations

import os
import socket

import pytest
from click.testing import CliRunner
from tracking.recordings import new_store

from mnist_bench.cli import ui
from mnist_bench.errors import StoreError


@pytest.fixture
def started(monkeypatch):
    """What the command would have become."""
    started = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: started.append(arguments))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return started


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ui(*arguments):
    return CliRunner().invoke(ui.command, [*map(str, arguments)], catch_exceptions=False)


def test_becomes_mlflows_own_server(tmp_path_factory, tmp_path, started, port):
    """It says the address, and hands the store over out of sight of other users."""
    uri = new_store(tmp_path_factory, tmp_path).location.uri
    shown = _ui("--port", port, "--tracking-uri", uri)
    assert f"open http://127.0.0.1:{port} " in shown.stdout
    ((_, *arguments),) = started
    assert arguments == ["-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    assert os.environ["MLFLOW_BACKEND_STORE_URI"] == uri


def test_a_server_needs_no_other(started):
    """Where a server keeps the store, its address is told, without its password."""
    shown = _ui("--tracking-uri", "http://me:secret@there:5000")
    assert "open http://me:***@there:5000" in shown.stdout
    assert not started


def test_a_port_in_use_is_told(tmp_path, started):
    """A taken port is one line, and says the way out."""
    (tmp_path / "mlflow.db").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StoreError, match=f"port {port} .*choose another with --port"):
            _ui("--port", port, "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db")
    assert not started


def test_without_a_store_there_is_nothing_to_show(tmp_path, started):
    """Where nothing is recorded no empty store is made."""
    with pytest.raises(StoreError, match="nothing recorded yet"):
        _ui("--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db")
    assert not list(tmp_path.iterdir())
