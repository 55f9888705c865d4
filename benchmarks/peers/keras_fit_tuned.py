"""The same loop, with `steps_per_execution` and `jit_compile` at their best.

Both are chosen for each architecture by a short trial on this machine, whose time isn't counted. Keras' augmentation
can't be compiled by XLA on a processor: variants that have it are left without.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
    plain = {run.architecture: run for run in reversed(plan.runs) if not run.recipe.augment}
    best = {name: _best(run, plan.dataset) for name, run in plain.items()}
    chose = time.perf_counter() - began

    def settings(run: RunSpec) -> dict[str, Any]:
        chosen = best[run.architecture]
        return chosen | {"jit_compile": False} if run.recipe.augment else chosen

    told = keras_fit.run_with(plan, settings)
    facts = [f"{name}: {', '.join(f'{key} {value}' for key, value in chosen.items())}" for name, chosen in best.items()]
    return replace(told, uncounted_seconds=chose, facts=facts)


def _best(run: RunSpec, dataset: Dataset) -> dict[str, Any]:
    """The quickest of the choices."""
    return min(_CHOICES, key=lambda choice: _seconds(run, dataset, choice))


def _seconds(run: RunSpec, dataset: Dataset, choice: dict[str, Any]) -> float:
    """Of an epoch of a few steps, in a model that is traced: the shortest."""
    model = keras_fit.compiled(run, dataset, choice)
    few = slice(_STEPS * run.recipe.batch_size)
    pixels, labels = dataset.train_images[few, ..., None].astype("float32") / 255, dataset.train_labels[few]

    def epoch() -> float:
        began = time.perf_counter()
        model.fit(pixels, labels, batch_size=run.recipe.batch_size, verbose=0)
        return time.perf_counter() - began

    epoch()
    times = [epoch()]
    while sum(times) < _SECONDS:
        times.append(epoch())
    return min(times)
