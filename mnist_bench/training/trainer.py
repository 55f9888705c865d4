"""One run, from a fresh seed to its test figures."""

from __future__ import annotations

import functools
import math
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from mnist_bench.data import split
from mnist_bench.specs import RunResult
from mnist_bench.training import evaluation
from mnist_bench.training.compiled import compiled_for
from mnist_bench.training.environment import environment
from mnist_bench.training.schedules import learning_rates
from mnist_bench.training.stopping import Stopper
from mnist_bench.training.streams import shuffled

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_bench.data import Dataset, Split
    from mnist_bench.specs import RunSpec
    from mnist_bench.training.compiled import CompiledModel

__all__ = ["train"]


def train(spec: RunSpec, dataset: Dataset, *, start: bytes | None = None, on_epoch: Callable[[int], None]) -> RunResult:
    """Train `spec` on `dataset` and score the test part once, at the end.

    Args:
        spec: the run.
        dataset: its data, the arrays that `spec.dataset` names.
        start: a `.keras` file, for a run that starts from another's trained weights.
        on_epoch: called with the number of epochs done: 0 when the first begins, and after each.

    Returns:
        The result; where the loss was not finite, one with a `cause`.

    Raises:
        ArchitectureError: the model can't be built for such images.
    """
    started_at, clock = time.time(), time.perf_counter()
    compiled = compiled_for(spec, dataset.image_shape, dataset.classes)
    compiled.reseed(spec.seed)
    if start is not None:
        _load_weights(compiled.model, start)
    fit = _Fit(spec, dataset, compiled)
    fit.train(on_epoch)
    return RunResult(
        spec=spec,
        cause=fit.cause,
        history=tuple(fit.history),
        environment=environment(),
        **(_finals(compiled, dataset, fit) if fit.cause is None else {"artifacts": fit.checkpoints}),
        started_at=started_at,
        seconds=time.perf_counter() - clock,
    )


@dataclass
class _Fit:
    """A run's epochs, and what they leave behind."""

    spec: RunSpec
    dataset: Dataset
    compiled: CompiledModel
    history: list[dict[str, float]] = field(default_factory=list)
    checkpoints: dict[str, bytes] = field(default_factory=dict)
    cause: str | None = None

    def train(self, on_epoch: Callable[[int], None]) -> None:
        """Train until the recipe's end, early stopping, or a loss that is not finite."""
        recipe = self.spec.recipe
        parts = split(self.dataset.train_labels, recipe.validation)
        steps = math.ceil(len(parts.train) / recipe.batch_size)  # an epoch
        rates = learning_rates(recipe, steps * recipe.epochs)
        stopper = Stopper(recipe.early_stopping, self.compiled.model) if recipe.early_stopping else None
        on_epoch(0)
        for epoch in range(1, recipe.epochs + 1):
            figures = self._epoch(epoch, parts, rates[(epoch - 1) * steps : epoch * steps])
            self.history.append(figures)
            if not np.isfinite([*figures.values()]).all():
                self.cause = f"diverged: train_loss is {figures['train_loss']} in epoch {epoch}"
                return
            if recipe.checkpoint_every and epoch % recipe.checkpoint_every == 0:
                self.checkpoints[f"checkpoints/epoch_{epoch:03d}.weights.h5"] = _saved(
                    self.compiled.model.save_weights, ".weights.h5"
                )
            on_epoch(epoch)
            if stopper and stopper.stops(figures):
                break
        if stopper:
            stopper.restore()

    def _epoch(self, epoch: int, parts: Split, rates: np.ndarray) -> dict[str, float]:
        images, labels = _on_device(self.dataset)
        clock = time.perf_counter()
        order = shuffled(parts.train, self.spec.seed, epoch)
        loss, accuracy = self.compiled.train_epoch(images, labels, order, rates, self.spec.seed, epoch)
        figures = {
            "train_loss": loss,
            "train_accuracy": accuracy,
            "learning_rate": float(rates[-1]),
            "epoch_seconds": time.perf_counter() - clock,  # of training alone
        }
        if len(parts.validation):
            logits = self.compiled.logits(tf.gather(images, parts.validation))
            loss, accuracy = evaluation.scores(logits, self.dataset.train_labels[parts.validation])
            figures |= {"val_loss": loss, "val_accuracy": accuracy}
        return figures


# Two, so that a worker that goes from one dataset to another and back copies neither again.
@functools.lru_cache(maxsize=2)
def _on_device(dataset: Dataset) -> tuple[Any, Any]:
    """All training images, uint8 (n, height, width, 1), and labels, int32 (n,), as tensors."""
    return tf.constant(dataset.train_images[..., np.newaxis]), tf.constant(dataset.train_labels, tf.int32)


def _finals(compiled: CompiledModel, dataset: Dataset, fit: _Fit) -> dict[str, Any]:
    """What only a finished run has."""
    logits, truth = compiled.logits(tf.constant(dataset.test_images[..., np.newaxis])), dataset.test_labels
    loss, accuracy = evaluation.scores(logits, truth)
    return {
        "metrics": {
            "parameters": float(compiled.model.count_params()),
            "test_loss": loss,
            "test_accuracy": accuracy,
            "epochs": float(len(fit.history)),
            "train_seconds": sum(figures["epoch_seconds"] for figures in fit.history),
            **evaluation.class_figures(logits, truth),
        },
        "confusion": evaluation.confusion(logits, truth),
        "artifacts": {"predictions.npz": evaluation.predictions_npz(logits), **fit.checkpoints},
        "model": _saved(compiled.model.save, ".keras"),
    }


def _saved(save: Callable[[Path], None], suffix: str) -> bytes:
    """What `save` writes to a file with that suffix, which decides Keras' format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"model{suffix}")
        save(path)
        return path.read_bytes()


def _load_weights(model: Any, keras_file: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "start.keras")
        path.write_bytes(keras_file)
        model.load_weights(path)
