"""`mnist-bench ui`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from cli.serving import PATIENCE, wait_for
from click.testing import CliRunner
from made_up import run_spec
from services import free_port
from tracking.recordings import new_store, record, run_result

from mnist_bench.cli import ui
from mnist_bench.errors import StoreError
from mnist_bench.figures.run import learning_curves
from mnist_bench.figures.style import to_png
from mnist_bench.tracking.reader import read_suite


@pytest.fixture
def started(monkeypatch):
    """What the command would have become."""
    started = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: started.append(arguments))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return started


@pytest.fixture
def port():
    return free_port()


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


@pytest.fixture
def served(tmp_path_factory, tmp_path, port):
    """The address at which `mnist-bench ui` serves a store with one run, and the store."""
    store, spec = new_store(tmp_path_factory, tmp_path), run_spec()
    curves = to_png(learning_curves(run_result().history, "baseline, seed 0"))  # 800 pixels wide
    record(store, [spec], [run_result(spec, score=0.8125, artifacts={"curves.png": curves})])
    command = ["-m", "mnist_bench", "ui", "--port", str(port), "--tracking-uri", store.location.uri]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log)
        try:
            wait_for(port, server, tmp_path / "log")
            yield f"http://127.0.0.1:{port}", store
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.mark.slow
@pytest.mark.browser
def test_mlflows_pages_show_what_was_recorded(browser, served):
    """In a browser: the experiment, a run with its metrics, and its picture."""
    address, store = served
    run_id = read_suite(store, "made_up").runs["run_id"].iloc[0]
    view = browser.new_page()
    view.set_default_timeout(1000 * PATIENCE)
    view.goto(f"{address}/#/experiments")
    view.get_by_role("link", name="made_up/made-up").wait_for()
    view.goto(f"{address}/#/experiments/1/runs/{run_id}")
    view.get_by_role("link", name="test_accuracy").wait_for()
    view.get_by_text("0.8125").first.wait_for()
    view.goto(f"{address}/#/experiments/1/runs/{run_id}/artifacts/curves.png")
    view.wait_for_function("[...document.images].some((image) => image.naturalWidth === 800)")
    view.close()
