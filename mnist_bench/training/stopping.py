"""Early stopping."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_bench.specs import EarlyStopping

__all__ = ["Stopper"]


class Stopper:
    """Watches one figure, remembers its best epoch, and says when to stop.

    Args:
        rule: what to watch, how patiently, and whether the best weights come back.
        model: the model being trained.
    """

    def __init__(self, rule: EarlyStopping, model: Any) -> None:
        self._rule = rule
        self._model = model
        self._sign = -1.0 if rule.watch.endswith("accuracy") else 1.0
        self._best = math.inf
        self._best_epoch = self._epoch = 0
        self._weights: list[Any] | None = None

    def stops(self, figures: Mapping[str, float]) -> bool:
        """Whether training is to stop after the epoch with these `figures`."""
        self._epoch += 1
        value = self._sign * figures[self._rule.watch]
        if value < self._best:
            self._best, self._best_epoch = value, self._epoch
            if self._rule.restore_best:
                self._weights = self._model.get_weights()
        return self._epoch - self._best_epoch >= self._rule.patience

    def restore(self) -> int:
        """Bring the best epoch's weights back, if the rule says so; the epoch whose weights the model then has."""
        if self._weights is None:
            return self._epoch
        self._model.set_weights(self._weights)
        return self._best_epoch
