"""Whose a running trial is, so that none stays RUNNING once its search was killed.

Optuna's own heartbeat is for `Study.optimize`; here the driver asks and tells. So each trial carries the process that
trains it and when that was last alive.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

import psutil
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna import Study
    from optuna.trial import FrozenTrial

__all__ = ["BEAT_SECONDS", "LEASE", "is_stale", "lease", "stale"]

LEASE = "lease"  # the trial's user attribute
BEAT_SECONDS = 15.0  # between two signs of life
_STALE_SECONDS = 90.0  # without one: several beats, and what two machines' clocks may differ by


def lease() -> dict[str, Any]:
    """What marks a trial as this process', alive now."""
    process = psutil.Process()
    return {
        "host": socket.gethostname(),
        "pid": process.pid,
        "process_started": process.create_time(),  # process ids are used again
        "beat": time.time(),
    }


def stale(study: Study) -> list[FrozenTrial]:
    """The running trials of searches that are no more."""
    return [trial for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if is_stale(trial)]


def is_stale(trial: FrozenTrial) -> bool:
    """Whether nobody trains it any more: its process is known to be dead, or hasn't been heard of for too long."""
    held: Mapping[str, Any] | None = trial.user_attrs.get(LEASE)
    if held is None:  # begun by somebody else, in a way of his own
        began = trial.datetime_start
        return began is None or time.time() - began.timestamp() > _STALE_SECONDS
    if held["host"] == socket.gethostname():
        return not _lives(held["pid"], held["process_started"])
    return bool(time.time() - held["beat"] > _STALE_SECONDS)


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
