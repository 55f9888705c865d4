"""Servers that tests start."""

from __future__ import annotations

import time
import urllib.request

PATIENCE = 120  # seconds, that MLflow's server and its pages may take on a busy machine


def wait_for(port, server, log):
    """Wait until a server process answers on a port of this machine; what it logged is told if it doesn't."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
        else:
            return
