"""Keras Tuner on an architecture's search space: random search and Hyperband, as its guides have them.

The space is the one that `mnist-bench tune` draws from, said in Keras Tuner's words, with the same defaults. TensorFlow
chooses threads and precision; batch size is drawn in `HyperModel.fit`.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import keras_tuner
import numpy as np

from mnist_bench import architectures, data
from mnist_bench.specs import Recipe
from mnist_bench.tuning.dimensions import Choices, Fixed, Layers, Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mnist_bench.data import Dataset
    from mnist_bench.tuning.space import Space

_FACTOR = 3  # of Hyperband: Keras Tuner's own


@dataclass(frozen=True)
class Budget:
    """How much a search may train."""

    trials: int
    epochs: int  # of a trial, at most

    @property
    def hyperband_iterations(self) -> int:
        """How many iterations of Hyperband come closest to it."""
        an_iteration = sum(trials * epochs for trials, epochs in _hyperband_rounds(self.epochs))
        return max(1, round(self.trials * self.epochs / an_iteration))


def search(kind: str, space: Space, dataset: Dataset, budget: Budget, seed: int) -> list[list[float]]:
    """Search by `random` or `hyperband`.

    Returns:
        a pair for each trial, in order: seconds since the search began at the trial's end, and its best epoch's
        validation accuracy.
    """
    began = time.perf_counter()
    ended: list[list[float]] = []
    tried = _Tried(space, dataset, lambda accuracy: ended.append([time.perf_counter() - began, accuracy]))
    images = dataset.train_images[..., np.newaxis].astype("float32") / 255
    parts = data.split(dataset.train_labels, Recipe().validation)
    train, held_out = ((images[part], dataset.train_labels[part]) for part in (parts.train, parts.validation))
    with tempfile.TemporaryDirectory() as folder:
        shared = {"objective": "val_accuracy", "seed": 1 + seed, "directory": folder}  # 0 would be one at random
        if kind == "random":
            tuner = keras_tuner.RandomSearch(tried, max_trials=budget.trials, **shared)
        else:
            rounds = {"factor": _FACTOR, "hyperband_iterations": budget.hyperband_iterations}
            tuner = keras_tuner.Hyperband(tried, max_epochs=budget.epochs, **rounds, **shared)
        tuner.search(*train, validation_data=held_out, epochs=budget.epochs, verbose=0)
    return ended


def independent_trials(kind: str, budget: Budget) -> int:
    """How many trials in a row know nothing of those before them: one, or an iteration of Hyperband."""
    return 1 if kind == "random" else sum(trials for trials, _ in _hyperband_rounds(budget.epochs))


def _hyperband_rounds(most: int) -> Iterator[tuple[int, int]]:
    """Trials of each round of an iteration of Keras Tuner's Hyperband, and epochs of each of these, by most epochs.

    Its brackets go on from the epochs of the round before.
    """
    last = math.ceil(1 + math.log(most, _FACTOR))
    for bracket in range(1 + math.floor(math.log(most, _FACTOR) + 1e-9)):
        before = 0
        for left in range(bracket, -1, -1):
            until = math.ceil(most / _FACTOR**left)
            yield math.ceil(last / (bracket + 1) * _FACTOR**left), until - before
            before = until


class _Tried(keras_tuner.HyperModel):
    """A network of the space, and how it is trained; `ended` hears each trial's best validation accuracy."""

    def __init__(self, space: Space, dataset: Dataset, ended: Callable[[float], None]) -> None:
        super().__init__()
        self._space = space
        self._dataset = dataset
        self._ended = ended
        self._defaults = architectures.resolve_options(space.architecture, {}, "options")
        self._recipe = Recipe().model_dump()

    def build(self, hp: Any) -> Any:
        """Draw a network."""
        options = {name: _draw(hp, name, each, self._defaults[name]) for name, each in self._space.options.items()}
        shape, classes = self._dataset.image_shape, self._dataset.classes
        model = architectures.build(self._space.architecture, self._defaults | options, shape, classes)
        model.compile(
            optimizer=keras.optimizers.Adam(self._drawn(hp, "learning_rate")),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        return model

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train it."""
        history = model.fit(*args, batch_size=self._drawn(hp, "batch_size"), **kwargs)
        self._ended(max(history.history["val_accuracy"]))
        return history

    def _drawn(self, hp: Any, name: str) -> Any:
        """An entry of the recipe."""
        return _draw(hp, name, self._space.recipe[name], self._recipe[name])


def _draw(hp: Any, name: str, dimension: Any, default: Any) -> Any:
    """One dimension of the space, drawn by Keras Tuner."""
    match dimension:
        case Fixed():
            return dimension.value
        case Choices():
            if set(dimension.values) == {True, False}:
                return hp.Boolean(name, default=default)
            return hp.Choice(name, [*dimension.values], default=default)
        case Layers():
            count = _draw(hp, f"{name}.layers", dimension.layers, len(default))
            wide = [*default, *[default[-1]] * count]  # layers beyond the default's begin as its last
            return [_draw(hp, f"{name}.{place}", dimension.width, wide[place]) for place in range(count)]
        case Range():
            kind = hp.Int if isinstance(dimension.low, int) and isinstance(dimension.high, int) else hp.Float
            how = {"sampling": "log"} if dimension.log else {"step": dimension.step} if dimension.step else {}
            return kind(name, dimension.low, dimension.high, default=default, **how)
    raise TypeError(f"{name}: Keras Tuner has no {dimension}")
