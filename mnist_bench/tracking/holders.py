"""Whose something is: the process that holds it, and when that was last alive."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BEAT_SECONDS", "STALE_SECONDS", "holder", "is_gone"]

BEAT_SECONDS = 15.0  # between two signs of life
STALE_SECONDS = 90.0  # without one: several beats, and what two machines' clocks may differ by


def holder() -> dict[str, Any]:
    """What marks something as this process', alive now."""
    process = psutil.Process()
    return {
        "host": socket.gethostname(),
        "pid": process.pid,
        "process_started": process.create_time(),  # process ids are used again
        "beat": time.time(),
    }


def is_gone(held: Mapping[str, Any]) -> bool:
    """Whether a holder's process is known to be dead, or hasn't been heard of for too long."""
    if held["host"] == socket.gethostname():
        return not _lives(held["pid"], held["process_started"])
    return bool(time.time() - held["beat"] > STALE_SECONDS)


def _lives(pid: int, started: float) -> bool:
    if pid == os.getpid():
        return bool(psutil.Process().create_time() == started)
    try:
        process = psutil.Process(pid)
        # Its parent may not have taken note of its end yet.
        return bool(process.create_time() == started and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
