"""Plain Keras `fit` in a loop, with MLflow's callback, as a notebook has it.

TensorFlow chooses threads and precision; augmentation is by Keras' layers; validation after each epoch, the test part
once. The images are prepared once, and Keras' state is cleared between two runs.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import keras
import mlflow
import numpy as np
import tensorflow as tf
from work import Told, name_of

from mnist_bench import architectures, data
from mnist_bench.specs import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mnist_bench.data import Dataset
    from mnist_bench.execution.plan import Plan
    from mnist_bench.specs import RunSpec

# What of a recipe this loop does not do: it has to be as it is by default.
_NOT_DONE = ("optimizer", "schedule", "label_smoothing", "early_stopping", "checkpoint_every")


def run(plan: Plan) -> Told:
    """Train the plan's runs one after another."""
    return run_with(plan, lambda _: {})


def run_with(plan: Plan, settings: Callable[[RunSpec], Mapping[str, Any]]) -> Told:
    """The same, each model compiled with `settings` of its run. Seconds: from its building to the last one's end."""
    with experiment():
        began = time.perf_counter()
        accuracies = {name_of(run): fit(run, plan.dataset, settings(run)) for run in plan.runs}
        return Told(time.perf_counter() - began, accuracies)


@contextlib.contextmanager
def experiment() -> Iterator[str]:
    """An MLflow store for the runs in it, made beforehand; gives its address."""
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        mlflow.set_tracking_uri(uri)
        mlflow.create_experiment("fit", artifact_location=f"{folder}/artifacts")
        mlflow.set_experiment("fit")
        yield uri


def fit(run: RunSpec, dataset: Dataset, settings: Mapping[str, Any]) -> float:
    """Train and record one run; its test accuracy in percent."""
    _check(run)
    keras.utils.clear_session()
    keras.utils.set_random_seed(run.seed)
    tf.random.set_seed(None)  # with one, `fit` on arrays has the same minibatches in every epoch (Keras 3.15)
    pixels, test = _prepared(dataset, run.recipe.normalize)
    parts = data.split(dataset.train_labels, run.recipe.validation)
    held_out = (pixels[parts.validation], dataset.train_labels[parts.validation]) if len(parts.validation) else None
    model = compiled(run, dataset, settings)
    with mlflow.start_run():
        model.fit(
            pixels[parts.train],
            dataset.train_labels[parts.train],
            batch_size=run.recipe.batch_size,
            epochs=run.recipe.epochs,
            validation_data=held_out,
            callbacks=[mlflow.keras.MlflowCallback()],
            verbose=0,
        )
        _, accuracy = model.evaluate(test, dataset.test_labels, verbose=0)
        mlflow.log_metric("test_accuracy", accuracy)
    return 100 * accuracy


def compiled(run: RunSpec, dataset: Dataset, settings: Mapping[str, Any]) -> Any:
    """The run's model, compiled as a notebook has it, with `settings` of `compile`."""
    model = architectures.build(run.architecture, run.options, dataset.image_shape, dataset.classes)
    if run.recipe.augment:
        model = keras.Sequential([keras.Input(dataset.image_shape), *_moves(run.recipe), model])
    model.compile(
        optimizer=keras.optimizers.Adam(run.recipe.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        **settings,
    )
    return model


@functools.lru_cache(maxsize=2)
def _prepared(dataset: Dataset, normalize: bool) -> tuple[np.ndarray, np.ndarray]:  # noqa: FBT001 - a key of the cache
    """Training and test images: float32 (n, height, width, 1)."""
    scale = np.float32(255 if normalize else 1)
    train, test = (images[..., np.newaxis] / scale for images in (dataset.train_images, dataset.test_images))
    return train, test


def _moves(recipe: Recipe) -> list[Any]:
    """Keras' layers for what the recipe's augmentation does."""
    augment = recipe.augment
    filled = {"fill_mode": "constant"}
    moves = [
        (augment.rotation_degrees, keras.layers.RandomRotation(augment.rotation_degrees / 360, **filled)),
        (augment.shift_fraction, keras.layers.RandomTranslation(*[augment.shift_fraction] * 2, **filled)),
        (augment.zoom_fraction, keras.layers.RandomZoom(augment.zoom_fraction, **filled)),
        (augment.shear_degrees, keras.layers.RandomShear(np.tan(np.radians(augment.shear_degrees)), **filled)),
    ]
    return [layer for bound, layer in moves if bound]


def _check(run: RunSpec) -> None:
    """Refuse a run that `fit` here would train otherwise than we do."""
    default = Recipe()
    others = [name for name in _NOT_DONE if getattr(run.recipe, name) != getattr(default, name)]
    others += ["start_from"] if run.start_from else []
    if others:
        sys.exit(f"{name_of(run)}: the peers don't do what its recipe says of {', '.join(others)}")
