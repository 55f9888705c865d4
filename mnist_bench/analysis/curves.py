"""What a learning curve says: a figure an epoch, the first epoch first, all of them finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["epoch_of_least", "epoch_that_reaches"]


def epoch_that_reaches(curve: Sequence[float], value: float) -> int | None:
    """The first epoch, counted from 1, whose figure is at least `value`; None if there is none."""
    return next((epoch for epoch, figure in enumerate(curve, start=1) if figure >= value), None)


def epoch_of_least(curve: Sequence[float]) -> int:
    """The epoch, counted from 1, with the least figure; the first of equals.

    Raises:
        ValueError: the curve has no epochs.
    """
    return min(range(len(curve)), key=curve.__getitem__) + 1
