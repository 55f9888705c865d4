"""Early stopping."""

from __future__ import annotations

import pytest

from mnist_bench.specs import EarlyStopping
from mnist_bench.training.stopping import Stopper


class Model:
    """Its weights are the number of the epoch."""

    epoch = 0

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.epoch = weights


def stopped_at(rule, values):
    model = Model()
    stopper = Stopper(rule, model)
    for model.epoch, value in enumerate(values, start=1):
        if stopper.stops({rule.watch: value}):
            break
    epochs = model.epoch
    assert stopper.restore() == model.epoch
    return epochs, model.epoch


@pytest.mark.parametrize(
    ("watch", "patience", "values", "epochs", "best"),
    [
        ("val_loss", 1, [3, 2, 2, 1], 3, 2),
        ("val_loss", 2, [3, 2, 4, 1, 5, 6], 6, 4),
        ("val_accuracy", 1, [0.1, 0.3, 0.2, 0.9], 3, 2),
        ("train_loss", 3, [3, 2, 1], 3, 3),
    ],
)
def test_it_waits_and_brings_the_best_back(watch, patience, values, epochs, best):
    """It stops after `patience` epochs without improvement, and the best epoch's weights return."""
    assert stopped_at(EarlyStopping(watch=watch, patience=patience), values) == (epochs, best)


def test_the_last_weights_stay_where_the_rule_says_so():
    """Without `restore_best` the model stays as training left it."""
    assert stopped_at(EarlyStopping(patience=1, restore_best=False), [1, 2]) == (2, 2)
