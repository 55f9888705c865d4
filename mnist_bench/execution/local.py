"""Scheduler and workers on this machine: how they are started, and ended."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import math
import os
import signal
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

import dask
from distributed import LocalCluster
from distributed.utils import get_mp_context

from mnist_bench.errors import SchedulerError
from mnist_bench.training.environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NO_LOGS", "SETTINGS", "kill_workers", "load_ahead", "local_cluster"]

NO_LOGS = logging.CRITICAL + 1  # Dask's own words on a worker out of memory, or on a lost scheduler, are tracebacks
_KILL_SECONDS = 0.5
_SILENT_SECONDS = (10.0, 300.0)  # after which a worker that isn't heard of is taken for frozen: at least, at most

# Dask's settings where scheduler and workers are started here; whoever starts them elsewhere gives them the same.
SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,  # runs wait for any worker, not behind one's run
    # Scheduler, nannies and workers watch themselves some 60 times a second each; training wants every core.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "1s",
}


def load_ahead() -> None:
    """Begin to load TensorFlow, in the server that local workers are forked from, while this process does other things.

    Workers that are forked from it start in half a second, and share its memory.

    Raises:
        SchedulerError: no process can be started here.
    """
    environ = _environ()
    dask.config.set(
        {"distributed.worker.multiprocessing-method": "forkserver", "distributed.nanny.pre-spawn-environ": environ}
    )
    get_mp_context().set_forkserver_preload(["mnist_bench.execution.preload"])
    os.environ.update(environ)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the server can ignore Ctrl-C
    try:
        forkserver.ensure_running()
    except OSError as failure:
        raise _no_workers(failure) from failure
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@atexit.register
def _end_server() -> None:
    """End it at once: it would load TensorFlow to the end first, and hold the command's output open meanwhile."""
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public ends it
    if server is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


def _environ() -> dict[str, str]:
    """What workers are started with, as Dask's nannies would put it together: the user's goes before Dask's own."""
    dasks = dask.config.get("distributed.nanny.pre-spawn-environ")
    known = {name: os.environ.get(name, str(value)) for name, value in dasks.items() if value is not None}
    hashes = {"PYTHONHASHSEED": "6640"}  # Dask's number: strings have one hash in all workers
    return hashes | known | ENVIRONMENT


def local_cluster(workers: int, run_timeout: float | None, attempts: int) -> Any:
    """A scheduler in this process, and so many workers of one thread.

    Args:
        workers: how many processes.
        run_timeout: the seconds that a run may take.
        attempts: how often a run is tried that kills its worker.

    Raises:
        SchedulerError: they can't be started here.
    """
    load_ahead()
    silent = min(max(run_timeout or math.inf, _SILENT_SECONDS[0]), _SILENT_SECONDS[1])
    dask.config.set(
        {
            **SETTINGS,
            "distributed.scheduler.allowed-failures": attempts - 1,
            "distributed.scheduler.worker-ttl": silent,
        }
    )
    quietly = {"dashboard_address": "127.0.0.1:0", "silence_logs": NO_LOGS}
    try:
        return LocalCluster(n_workers=workers, threads_per_worker=1, **quietly)
    except (OSError, RuntimeError) as failure:
        raise _no_workers(failure) from failure


def _no_workers(failure: Exception) -> SchedulerError:
    """The line for a full disk or no memory, in whatever words of the system's or Dask's."""
    reason = str(failure).partition("\n")[0]
    return SchedulerError(f"the workers can't be started ({reason}): `mnist-bench doctor` looks for why")


def kill_workers(cluster: Any) -> None:
    """End the workers at once: one in the middle of an epoch hears nothing."""
    cluster.sync(_kill, cluster.workers.values())


async def _kill(nannies: Iterable[Any]) -> None:
    killed = (nanny.kill(timeout=_KILL_SECONDS) for nanny in nannies)
    await asyncio.gather(*killed, return_exceptions=True)  # the cluster's own closing kills what is left
