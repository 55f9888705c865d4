"""A model with its optimizer, and an epoch of training as one compiled function.

Tracing costs a second or more, so a worker keeps the compiled models that it has met and re-seeds them. Nothing of a
run's length, rates, split, scaling or bounds of augmentation is traced: those are the function's arguments.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from mnist_bench import architectures
from mnist_bench.data import augmentation
from mnist_bench.specs import Augmentation, Recipe
from mnist_bench.training.folding import folded
from mnist_bench.training.gradients import faster_gradients
from mnist_bench.training.optimizers import make_optimizer
from mnist_bench.training.streams import reseed, stream_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_bench.specs import RunSpec

__all__ = ["CompiledModel", "compiled_for"]

# It warns where several models are traced in one process, which is what a worker is for.
tf.get_logger().setLevel("ERROR")

# Larger batches are no faster on a processor, and their activations no longer fit its cache.
_EVALUATION_BATCH = 250

# Some 20 to 60 MB each: enough for a suite's variants to take turns.
_KEPT = 16


# What of a recipe decides no more than how long, how fast or on which images the compiled epoch is run.
_NOT_TRACED = ("epochs", "learning_rate", "schedule", "validation", "normalize", "early_stopping", "checkpoint_every")


def compiled_for(spec: RunSpec, image_shape: tuple[int, int, int], classes: int) -> CompiledModel:
    """The compiled model that trains `spec` on images (height, width, 1): a used one where there is one."""
    defaults = {name: Recipe.model_fields[name].default for name in _NOT_TRACED}
    augment = Augmentation() if spec.recipe.augment else None  # of whatever bounds
    recipe = spec.recipe.model_copy(update=defaults | {"augment": augment})
    return _compiled(spec.architecture, json.dumps(spec.options, sort_keys=True), recipe, image_shape, classes)


@functools.lru_cache(maxsize=_KEPT)
def _compiled(
    architecture: str, options: str, recipe: Recipe, image_shape: tuple[int, int, int], classes: int
) -> CompiledModel:
    return CompiledModel(architecture, json.loads(options), recipe, image_shape, classes)


class CompiledModel:
    """A traced model for runs that differ in no more than the function's arguments; `reseed` makes it new."""

    def __init__(
        self,
        architecture: str,
        options: Mapping[str, Any],
        recipe: Recipe,
        image_shape: tuple[int, int, int],
        classes: int,
    ) -> None:
        self._recipe = recipe
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if recipe.precision == "bfloat16" else "float32")
        try:
            self.model = architectures.build(architecture, options, image_shape, classes)
        finally:
            keras.config.set_dtype_policy(policy)
        self._forward = tf.autograph.experimental.do_not_convert(folded(self.model))
        self._optimizer = make_optimizer(recipe)
        self._optimizer.build(self.model.trainable_variables)
        images, scale = tf.TensorSpec((None, *image_shape), tf.uint8), tf.TensorSpec((), tf.float32)
        self._epoch = tf.function(
            self._train,
            input_signature=[
                images,
                tf.TensorSpec((None,), tf.int32),
                tf.TensorSpec((None,), tf.int32),
                tf.TensorSpec((None,), tf.float32),
                scale,
                tf.TensorSpec((5,), tf.float32),
                tf.TensorSpec((), tf.int32),
            ],
        )
        self._logits = tf.function(self._evaluate, input_signature=[images, scale])
        # An epoch of no steps: tracing is no run's training time.
        nothing = (np.zeros((0, *image_shape), np.uint8), *(np.zeros(0, kind) for kind in "iif"))
        self._epoch(*nothing, 1.0, np.zeros(5, np.float32), 0)

    def reseed(self, seed: int) -> None:
        """Forget all training: weights, optimizer state and random streams as new, from `seed`."""
        reseed(self.model, self._optimizer, seed)

    def train_epoch(  # noqa: PLR0913, PLR0917 - the data, and what the epoch draws from it
        self, images: Any, labels: Any, order: np.ndarray, rates: np.ndarray, spec: RunSpec, epoch: int
    ) -> tuple[float, float]:
        """Train on `images[order]` in minibatches, the last one perhaps smaller.

        Args:
            images: uint8 tensor (n, height, width, 1).
            labels: int32 tensor (n,).
            order: int32 (m,), indices of images.
            rates: float32 (steps,), the learning rate of each step.
            spec: the run, of which the seed, the scaling and the bounds of augmentation are taken.
            epoch: its number, from 1.

        Returns:
            Mean loss and accuracy over the epoch's images, each as it was when the image was trained on.
        """
        bounds = augmentation.bounds_of(spec.recipe.augment or Augmentation())
        seed = stream_seed(spec.seed, "augmentation", epoch)
        loss, correct = self._epoch(images, labels, order, rates, _scale(spec.recipe), bounds, seed)
        return float(loss) / len(order), float(correct) / len(order)

    def logits(self, images: Any, recipe: Recipe) -> np.ndarray:
        """Logits of a uint8 tensor of images, scaled as `recipe` has it: float32 (n, classes)."""
        logits: np.ndarray = self._logits(images, _scale(recipe)).numpy()
        return logits

    def _train(  # noqa: PLR0913, PLR0917 - see `train_epoch`
        self, images: Any, labels: Any, order: Any, rates: Any, scale: Any, bounds: Any, augmentation_seed: Any
    ) -> tuple[Any, Any]:
        """An epoch in the graph: AutoGraph makes the loop a `tf.while_loop`. Returns sums of loss and of hits."""
        size = self._recipe.batch_size
        loss_sum, correct = tf.constant(0.0), tf.constant(0)
        for step in tf.range(tf.size(rates)):
            batch = order[step * size : (step + 1) * size]  # (batch,)
            truth = tf.gather(labels, batch)
            pixels = tf.cast(tf.gather(images, batch), tf.float32) * scale  # (batch, height, width, 1)
            if self._recipe.augment is not None:
                pixels = augmentation.transform(pixels, bounds, tf.stack([augmentation_seed, step]))
            self._optimizer.learning_rate.assign(rates[step])
            losses, logits = self._step(pixels, truth)
            loss_sum += tf.reduce_sum(losses)
            correct += tf.math.count_nonzero(tf.argmax(logits, 1, tf.int32) == truth, dtype=tf.int32)
        return loss_sum, correct

    def _evaluate(self, images: Any, scale: Any) -> Any:
        """Logits of all images (n, height, width, 1), minibatch by minibatch, in the graph as `_train` is."""
        batches = (tf.shape(images)[0] + _EVALUATION_BATCH - 1) // _EVALUATION_BATCH
        shape = (None, self.model.output.shape[1])
        logits = tf.TensorArray(tf.float32, batches, infer_shape=False, element_shape=shape)
        for place in tf.range(batches):
            batch = images[place * _EVALUATION_BATCH : (place + 1) * _EVALUATION_BATCH]
            logits = logits.write(place, self._forward(tf.cast(batch, tf.float32) * scale, training=False))
        return logits.concat()

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def _step(self, pixels: Any, truth: Any) -> tuple[Any, Any]:
        """One step of the optimizer. Returns losses (batch,) and logits (batch, classes) from before it."""
        with faster_gradients(pixels.graph):
            logits = self._forward(pixels, training=True)  # float32 in any precision: see the registry's `logits`
            losses = _cross_entropy(logits, truth, self._recipe.label_smoothing)
            total = tf.add_n([tf.reduce_mean(losses), *self.model.losses])  # with the layers' own penalties
        weights = [variable.value for variable in self.model.trainable_variables]
        self._optimizer.apply(tf.gradients(total, weights), self.model.trainable_variables)
        return losses, logits


def _scale(recipe: Recipe) -> float:
    """What pixels, 0 to 255, are multiplied by."""
    return 1 / 255 if recipe.normalize else 1.0


def _cross_entropy(logits: Any, truth: Any, smoothing: float) -> Any:
    """Cross-entropy (batch,); `smoothing` is spread evenly over all classes (Szegedy et al., 2016)."""
    exact = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, logits)
    if not smoothing:
        return exact
    spread = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=1)
    return (1 - smoothing) * exact + smoothing * spread
