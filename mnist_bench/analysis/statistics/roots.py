"""Where a function reaches a value; `scipy.optimize` would cost every command 0.3 s more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["reaches"]


def reaches(rising: Callable[[float], float], target: float) -> float:
    """The x >= 0 from which on `rising(x)` is at least `target`, by bisection to 15 digits; it must get there."""
    low, high = 0.0, 1.0
    while rising(high) < target:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return high
