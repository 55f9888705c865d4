"""Keras' optimizers, as a recipe names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from mnist_bench.specs import Recipe

__all__ = ["make_optimizer"]


def make_optimizer(recipe: Recipe) -> Any:
    """The optimizer of that name, as yet without weights."""
    match recipe.optimizer:
        case "adam":
            return FusedAdam(recipe.learning_rate)
        case "adamw":
            return FusedAdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
        case "sgd":
            return keras.optimizers.SGD(recipe.learning_rate, momentum=recipe.momentum)


class _OneKernel:
    """Updates a weight by one of TensorFlow's kernels, where Keras passes a dozen times over it: the same formula."""

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Adam's update of one variable (Kingma and Ba, 2015, section 2: epsilon stands outside the correction)."""
        index = self._get_variable_index(variable)
        rate, step, beta_1, beta_2 = (
            tf.cast(figure, variable.dtype)
            for figure in (learning_rate, self.iterations.value + 1, self.beta_1, self.beta_2)
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )


class FusedAdam(_OneKernel, keras.optimizers.Adam):  # type: ignore[misc]  # Keras ships no types
    pass


class FusedAdamW(_OneKernel, keras.optimizers.AdamW):  # type: ignore[misc]  # Keras ships no types
    pass
