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

    def _backend_update_step(self: Any, gradients: Any, variables: Any, learning_rate: Any) -> None:
        """Adam's update (Kingma and Ba, 2015, section 2: epsilon stands outside the correction).

        Keras' own hook for all variables at once, so that what they share is computed once a step.
        """
        dtype = variables[0].dtype
        step = tf.cast(self.iterations.value + 1, dtype)
        beta_1, beta_2, epsilon = (tf.cast(figure, dtype) for figure in (self.beta_1, self.beta_2, self.epsilon))
        shared = {
            "lr": tf.cast(learning_rate, dtype),
            "beta1": beta_1,
            "beta2": beta_2,
            "beta1_power": tf.pow(beta_1, step),
            "beta2_power": tf.pow(beta_2, step),
            "epsilon": epsilon,
        }
        with tf.control_dependencies(gradients):  # a weight that is still to be read would be copied
            for gradient, variable in zip(gradients, variables, strict=True):
                index = self._get_variable_index(variable)
                momentum, velocity = self._momentums[index].value.handle, self._velocities[index].value.handle
                tf.raw_ops.ResourceApplyAdam(var=variable.value.handle, m=momentum, v=velocity, grad=gradient, **shared)


class FusedAdam(_OneKernel, keras.optimizers.Adam):  # type: ignore[misc]  # Keras ships no types
    pass


class FusedAdamW(_OneKernel, keras.optimizers.AdamW):  # type: ignore[misc]  # Keras ships no types
    pass
