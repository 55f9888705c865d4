"""What the server that workers are forked from imports, once for all of them."""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING

from mnist_bench.execution.unheard import tensorflow_unheard

if TYPE_CHECKING:
    from types import TracebackType

# Ctrl-C reaches the whole process group; it is the driver's concern. (It is blocked until here.)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

with tensorflow_unheard():
    import sklearn.model_selection  # noqa: F401 - imported for what they load, all of these

    import mnist_bench.execution.worker
    import mnist_bench.figures.run
    import mnist_bench.training.trainer  # noqa: F401
    from mnist_bench.execution.local import NO_LOGS

logging.getLogger("asyncio").setLevel(NO_LOGS)  # which speaks for Dask where a worker is out of memory


def _unless_the_driver_is_gone(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """A worker that is forked while its driver ends finds nothing of it any more, which is nobody's concern."""
    if not isinstance(error, FileNotFoundError | EOFError | ConnectionError):
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _unless_the_driver_is_gone
