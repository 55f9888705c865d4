"""When to try again what failed: soon at first, then less and less often."""

from __future__ import annotations

import time

__all__ = ["Patience"]

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
_SLOW_SECONDS = 5.0  # what takes longer is on its way to failing


class Patience:
    """Waits 1 s after a failure, twice as long after each further one, a minute at most.

    After what was slow it waits as long as that took, so that at least half of the time is left for other things.
    """

    def __init__(self) -> None:
        self._due_at = 0.0
        self._pause = 0.0  # the last one, in seconds

    @property
    def due(self) -> bool:
        """Whether it is time to try again."""
        return time.monotonic() >= self._due_at

    def failed(self, took_seconds: float) -> None:
        """What was tried failed."""
        self._pause = min(max(2 * self._pause, _FIRST_SECONDS), _LONGEST_SECONDS)
        self._due_at = time.monotonic() + max(self._pause, took_seconds)

    def worked(self, took_seconds: float) -> None:
        """What was tried worked."""
        self._pause = 0.0
        self._due_at = time.monotonic() + took_seconds if took_seconds > _SLOW_SECONDS else 0.0
