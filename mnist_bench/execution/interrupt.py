"""Ctrl-C, and SIGTERM like it, that aren't lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["remembered_interrupt"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def remembered_interrupt() -> Iterator[Callable[[], None]]:
    """Within the block Ctrl-C and SIGTERM raise KeyboardInterrupt, and are remembered.

    Python drops an exception that is raised while an object is finalized, as Dask's futures are after each result: a
    suite would go on as if nobody had asked it to stop.

    Yields:
        what raises KeyboardInterrupt if there was one.
    """
    asked = threading.Event()

    def note(*_: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    def check() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only that one is ever interrupted
        yield check
        return
    before = [(number, signal.signal(number, note)) for number in _SIGNALS]
    try:
        yield check
    finally:
        for number, handler in before:
            signal.signal(number, handler)
