"""What the server that workers are forked from imports, once for all of them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

# TensorFlow greets whoever imports it on standard error, in C++, before it can be told not to.
_errors = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    import sklearn.model_selection  # noqa: F401 - imported for what they load, all of these

    import mnist_bench.execution.worker
    import mnist_bench.figures.run
    import mnist_bench.training.trainer  # noqa: F401
finally:
    os.dup2(_errors, 2)


def _unless_the_driver_is_gone(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """A worker that is forked while its driver ends finds nothing of it any more, which is nobody's concern."""
    if not isinstance(error, FileNotFoundError | EOFError | ConnectionError):
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _unless_the_driver_is_gone
