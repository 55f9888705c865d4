"""One run, from a fresh seed to its test figures; or a trial, which has none."""

from __future__ import annotations

import functools
import math
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from mnist_bench.data import split
from mnist_bench.errors import ArchitectureError
from mnist_bench.specs import RunResult
from mnist_bench.training import evaluation
from mnist_bench.training.compiled import compiled_for
from mnist_bench.training.environment import environment
from mnist_bench.training.schedules import learning_rates
from mnist_bench.training.stopping import Stopper
from mnist_bench.training.streams import shuffled

if TYPE_CHECKING:
    from mnist_bench.data import Dataset, Split
    from mnist_bench.specs import RunSpec
    from mnist_bench.training.compiled import CompiledModel

__all__ = ["train"]


Prunes = Callable[[int, Mapping[str, float]], bool]


def train(
    spec: RunSpec,
    dataset: Dataset,
    *,
    start: bytes | None = None,
    on_epoch: Callable[[int], None],
    prunes: Prunes | None = None,
) -> RunResult:
    """Train `spec` on `dataset` and score the test part once, at the end; that of a search's trial never.

    Args:
        spec: the run.
        dataset: its data, the arrays that `spec.dataset` names.
        start: a `.keras` file, for a run that starts from another's trained weights.
        on_epoch: called with the number of epochs done: 0 when the first begins, and after each.
        prunes: makes the run a trial. Called after each epoch with its number and figures, it says whether the others
            are left out.

    Returns:
        The result; where the loss was not finite, one with a `cause`. A trial's keeps no model.

    Raises:
        ArchitectureError: the model can't be built for such images, or can't take the weights that it starts from.
    """
    started_at, clock = time.time(), time.perf_counter()
    compiled = compiled_for(spec, dataset.image_shape, dataset.classes)
    compiled.reseed(spec.seed)
    if start is not None:
        _load_weights(compiled.model, start)
    fit = _Fit(spec, dataset, compiled)
    fit.train(on_epoch, prunes)
    tested = fit.test() if prunes is None and fit.cause is None else {}
    return RunResult(
        spec=spec,
        started_at=started_at,
        seconds=time.perf_counter() - clock,
        cause=fit.cause,
        pruned=fit.pruned,
        history=tuple(fit.history),
        metrics={} if fit.cause else fit.figures() | tested.pop("metrics", {}),
        environment=environment(),
        artifacts=fit.files,
        **tested,
    )


@dataclass
class _Fit:
    """A run's epochs, and what they leave behind."""

    spec: RunSpec
    dataset: Dataset
    compiled: CompiledModel
    history: list[dict[str, float]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    kept_epoch: int = 0  # whose weights the run ends with
    cause: str | None = None
    pruned: bool = False

    def train(self, on_epoch: Callable[[int], None], prunes: Prunes | None) -> None:
        """Train until the recipe's end, early stopping, pruning, or a loss that is not finite."""
        recipe = self.spec.recipe
        parts = split(self.dataset.train_labels, recipe.validation)
        steps = math.ceil(len(parts.train) / recipe.batch_size)  # an epoch
        rates = learning_rates(recipe, steps * recipe.epochs)
        stopper = Stopper(recipe.early_stopping, self.compiled.model) if recipe.early_stopping else None
        on_epoch(0)
        for epoch in range(1, recipe.epochs + 1):
            figures = self._epoch(epoch, parts, rates[(epoch - 1) * steps : epoch * steps])
            self.history.append(figures)
            if self._diverged(figures, f"in epoch {epoch}"):
                return
            if recipe.checkpoint_every and epoch % recipe.checkpoint_every == 0:
                self.files[f"checkpoints/epoch_{epoch:03d}.weights.h5"] = _saved(
                    self.compiled.model.save_weights, ".weights.h5"
                )
            on_epoch(epoch)
            told_to_end = prunes is not None and prunes(epoch, figures)
            if stopper and stopper.stops(figures):
                break
            if told_to_end and epoch < recipe.epochs:
                self.pruned = True
                break
        self.kept_epoch = stopper.restore() if stopper else epoch

    def figures(self) -> dict[str, float]:
        """What is known of the whole without the test part."""
        return {
            "parameters": float(self.compiled.model.count_params()),
            "epochs": float(len(self.history)),
            "kept_epoch": float(self.kept_epoch),
            "train_seconds": sum(figures["epoch_seconds"] for figures in self.history),
        }

    def test(self) -> dict[str, Any]:
        """Score the test part: what only a finished run has. A loss that is not finite fails the run even now."""
        images, truth = tf.constant(self.dataset.test_images[..., np.newaxis]), self.dataset.test_labels
        logits = self.compiled.logits(images, self.spec.recipe)
        loss, accuracy = evaluation.scores(logits, truth)
        if self._diverged({"test_loss": loss}, "after the last epoch"):
            return {}
        confusion = evaluation.confusion(logits, truth)
        self.files |= {
            "confusion.json": evaluation.confusion_json(confusion),
            "predictions.npz": evaluation.predictions_npz(logits),
        }
        return {
            "metrics": {"test_loss": loss, "test_accuracy": accuracy} | evaluation.recalls(confusion),
            "confusion": confusion,
            "model": _saved(self.compiled.model.save, ".keras"),
        }

    def _diverged(self, figures: Mapping[str, float], when: str) -> bool:
        """Whether a figure is not finite, which is then the run's cause."""
        for name, value in figures.items():
            if not math.isfinite(value):
                self.cause = f"diverged: {name} is {value} {when}"
                return True
        return False

    def _epoch(self, epoch: int, parts: Split, rates: np.ndarray) -> dict[str, float]:
        images, labels = _on_device(self.dataset)
        clock = time.perf_counter()
        order = shuffled(parts.train, self.spec.seed, epoch)
        loss, accuracy = self.compiled.train_epoch(images, labels, order, rates, self.spec, epoch)
        figures = {
            "train_loss": loss,
            "train_accuracy": accuracy,
            "learning_rate": float(rates[-1]),
            "epoch_seconds": time.perf_counter() - clock,  # of training alone
        }
        if len(parts.validation):
            logits = self.compiled.logits(tf.gather(images, parts.validation), self.spec.recipe)
            loss, accuracy = evaluation.scores(logits, self.dataset.train_labels[parts.validation])
            figures |= {"val_loss": loss, "val_accuracy": accuracy}
        return figures


# Two, so that a worker that goes from one dataset to another and back copies neither again.
@functools.lru_cache(maxsize=2)
def _on_device(dataset: Dataset) -> tuple[Any, Any]:
    """All training images, uint8 (n, height, width, 1), and labels, int32 (n,), as tensors."""
    return tf.constant(dataset.train_images[..., np.newaxis]), tf.constant(dataset.train_labels, tf.int32)


def _saved(save: Callable[[Path], None], suffix: str) -> bytes:
    """What `save` writes to a file with that suffix, which decides Keras' format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"model{suffix}")
        save(path)
        return path.read_bytes()


def _load_weights(model: Any, keras_file: bytes) -> None:
    """Copy the weights of a `.keras` file into a model of the same layers.

    Raises:
        ArchitectureError: its layers are others, so that some would be left as they were.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "start.keras")
        path.write_bytes(keras_file)
        weights = keras.saving.load_model(path, safe_mode=True).get_weights()
    if [weight.shape for weight in weights] != [weight.shape for weight in model.get_weights()]:
        raise ArchitectureError(
            f"{model.name} can't start from weights of other shapes: start_from names another network"
        )
    model.set_weights(weights)
