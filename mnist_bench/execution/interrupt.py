"""Ctrl-C that isn't lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["remembered_interrupt"]


@contextlib.contextmanager
def remembered_interrupt() -> Iterator[Callable[[], None]]:
    """Within the block Ctrl-C raises KeyboardInterrupt as ever, and is remembered.

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
    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
