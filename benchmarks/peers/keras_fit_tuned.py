"""The same loop, with `steps_per_execution` and `jit_compile` at their best.

Both are chosen for each architecture, size of minibatch, and augmentation or not, by a short trial on this machine,
whose time isn't counted. Keras' augmentation can't be compiled by XLA on a processor: what has it is left without.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
from peers import keras_fit

if TYPE_CHECKING:
    from work import Told

    from mnist_bench.data import Dataset
    from mnist_bench.execution.plan import Plan
    from mnist_bench.specs import RunSpec


_CHOICES = [
    {"steps_per_execution": steps, "jit_compile": jit} for steps, jit in itertools.product((1, 8, 32), (False, True))
]
_STEPS = 64  # an epoch of a trial; the first traces the model, and isn't timed
_SECONDS = 1.0  # of a trial, or one epoch where that takes longer


def run(plan: Plan) -> Told:
    """Choose, and train the plan's runs one after another."""
    began = time.perf_counter()
    kinds = {_kind(run): run for run in reversed(plan.runs)}
    best = {kind: _best(run, plan.dataset) for kind, run in kinds.items()}
    chose = time.perf_counter() - began
    told = keras_fit.run_with(plan, lambda run: best[_kind(run)])
    facts = [f"{name}: {', '.join(f'{key} {value}' for key, value in chosen.items())}" for name, chosen in best.items()]
    return replace(told, uncounted_seconds=chose, facts=facts)


def _kind(run: RunSpec) -> str:
    """What the choice is made for."""
    augmented = ", augmented" if run.recipe.augment else ""
    return f"{run.architecture} by {run.recipe.batch_size}{augmented}"


def _best(run: RunSpec, dataset: Dataset) -> dict[str, Any]:
    """The quickest of the choices."""
    choices = [choice for choice in _CHOICES if not (run.recipe.augment and choice["jit_compile"])]
    return min(choices, key=lambda choice: _seconds(run, dataset, choice))


class _Listener(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Listens to each step, as MLflow's callback does, which keeps Keras from going on meanwhile."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Do nothing."""


def _seconds(run: RunSpec, dataset: Dataset, choice: dict[str, Any]) -> float:
    """Of an epoch of a few steps, in a model that is traced: the shortest."""
    model = keras_fit.compiled(run, dataset, choice)
    few = slice(_STEPS * run.recipe.batch_size)
    pixels, labels = dataset.train_images[few, ..., None].astype("float32") / 255, dataset.train_labels[few]

    def epoch() -> float:
        began = time.perf_counter()
        model.fit(pixels, labels, batch_size=run.recipe.batch_size, callbacks=[_Listener()], verbose=0)
        return time.perf_counter() - began

    epoch()
    times = [epoch()]
    while sum(times) < _SECONDS:
        times.append(epoch())
    return min(times)
