"""`mnist-bench ui`: MLflow's own pages."""

from __future__ import annotations

import os
import socket
import sys

import click

from mnist_bench.cli.options import tracking_uri_option
from mnist_bench.errors import StoreError
from mnist_bench.tracking import locate, open_store
from mnist_bench.tracking.mlflow_defaults import set_mlflow_defaults

__all__ = ["command"]

_HOST = "127.0.0.1"


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Where it listens.")
@tracking_uri_option
def command(port: int, tracking_uri: str | None) -> None:
    """Open MLflow's own pages on the store."""
    location = locate(tracking_uri)
    if location.served:
        click.echo(f"a server keeps this store: open {location.address}")
        return
    location.require()
    _require_free(port)
    open_store(location.uri)  # MLflow itself would tell what is wrong with it in a traceback
    click.echo(f"open http://{_HOST}:{port} (Ctrl-C ends it)")
    set_mlflow_defaults()
    os.environ["MLFLOW_BACKEND_STORE_URI"] = location.uri  # not on the command line, where its password could be seen
    server = [sys.executable, "-m", "mlflow", "ui", "--host", _HOST, "--port", str(port), "--workers", "1"]
    sys.stdout.flush()
    os.execv(sys.executable, server)  # noqa: S606 - no shell is the point


def _require_free(port: int) -> None:
    """MLflow itself would say so in a traceback.

    Raises:
        StoreError: something listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as refused:
            raise StoreError(f"port {port} can't be had ({refused.strerror}): choose another with --port") from None
