"""A minibatch folded in two."""

from __future__ import annotations

import keras
import made_up
import numpy as np
import pytest
import tensorflow as tf

from mnist_bench import architectures
from mnist_bench.training.compiled import compiled_for
from mnist_bench.training.folding import folded
from mnist_bench.training.gradients import faster_gradients
from mnist_bench.training.streams import reseed


def built(name, **options):
    return architectures.build(name, options, (28, 28, 1), 10)


def of_layers(*layers, images=(12, 10, 3)):
    """Those, then a dense layer on all that comes out."""
    inputs = x = keras.Input(images)
    for layer in (*layers, keras.layers.Flatten(), keras.layers.Dense(5)):
        x = layer(x)
    return keras.Model(inputs, x)


def around_another():
    inputs = keras.Input((12, 10, 4))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    x = keras.layers.Flatten()(keras.layers.Add()([inputs, x]))
    return keras.Model(inputs, keras.layers.Dense(5)(x))


FOLDED = {
    "batchnorm_cnn": lambda: built("batchnorm_cnn", batch_norm=False, dropout=0),
    "lenet5": lambda: built("lenet5"),
    "convnet": lambda: built("convnet", filters=(4, 16), kernel=5, pool_first=True, widths=(8,), dropout=0),
    "strides, dilation, no bias, an activation of its own": lambda: of_layers(
        keras.layers.Conv2D(5, 3, strides=2, activation="relu"),
        keras.layers.Conv2D(7, 2, dilation_rate=2, use_bias=False),
    ),
    "max-pooling after an activation that rises, and after one that does not": lambda: of_layers(
        *(keras.layers.Conv2D(4, 3), keras.layers.Activation("sigmoid"), keras.layers.MaxPooling2D()),
        *(keras.layers.Conv2D(3, 2), keras.layers.Activation("silu"), keras.layers.MaxPooling2D()),
    ),
}
LEFT_ALONE = {
    "many filters": lambda: built("convnet", filters=(8, 17)),
    "12 filters": lambda: built("convnet", filters=(12,)),
    "normalized over the minibatch": lambda: built("convnet", filters=(8,), batch_norm=True),
    "no convolution": lambda: built("mlp"),
    "softmax over the channels": lambda: of_layers(keras.layers.Conv2D(4, 3), keras.layers.Activation("softmax")),
    "such a softmax of the convolution": lambda: of_layers(keras.layers.Conv2D(4, 3, activation="softmax")),
    "groups of its own": lambda: of_layers(keras.layers.Conv2D(6, 3, groups=3)),
    "channels first": lambda: of_layers(keras.layers.Conv2D(4, 3, data_format="channels_first"), images=(3, 12, 10)),
    "a penalty on what it gives": lambda: of_layers(keras.layers.Conv2D(4, 3, activity_regularizer="l2")),
    "a layer around another": around_another,
}


@pytest.mark.parametrize("count", [6, 7, 1])
@pytest.mark.parametrize("name", FOLDED)
def test_it_computes_the_model(name, count):
    """Logits, and gradients of all weights, are the model's own to single precision, be the images even or odd."""
    model = FOLDED[name]()
    optimizer = keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    reseed(model, optimizer, 3)
    assert folded(model) is not model
    images = tf.constant(np.random.default_rng(0).random((count, *model.input.shape[1:])), tf.float32)
    weights = [variable.value for variable in model.trainable_variables]

    @tf.function
    def results(compute, training):
        with faster_gradients(tf.compat.v1.get_default_graph()):
            logits = compute(images, training=training)
            total = tf.reduce_sum(tf.sin(logits))  # weighs each otherwise
        return [logits, *tf.gradients(total, weights)]

    for training in (False, True):
        for ours, plain in zip(results(folded(model), training), results(model, training), strict=True):
            np.testing.assert_allclose(ours, plain, rtol=1e-3, atol=1e-4 * np.abs(plain).max())


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_where_it_would_be_slower_or_something_else_the_model_computes_itself(name):
    """A network is folded only where all before its first Flatten gains by it and works on each place by itself."""
    model = LEFT_ALONE[name]()
    assert folded(model) is model


def test_a_gpu_computes_the_model_itself(monkeypatch):
    """The kernels in question are the processor's."""
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    model = FOLDED["lenet5"]()
    assert folded(model) is model


def test_bfloat16_is_left_alone(dataset):
    """In bfloat16 the kernel for groups is the slower one."""
    network = {"architecture": "convnet", "options": {"filters": [4], "widths": [8]}}
    for precision, gains in (("float32", True), ("bfloat16", False)):
        spec = made_up.run_spec(dataset, **network, precision=precision)
        compiled = compiled_for(spec, dataset.image_shape, dataset.classes)
        assert (folded(compiled.model) is not compiled.model) == gains


def test_the_compiled_epoch_is_of_the_folded_network(dataset):
    """Each convolution has two groups, in training and in evaluation."""
    network = {"architecture": "convnet", "options": {"filters": [4], "widths": [8]}}
    compiled = compiled_for(made_up.run_spec(dataset, **network), dataset.image_shape, dataset.classes)
    for function in (compiled._epoch, compiled._logits):
        graph = function.get_concrete_function().graph
        graphs = [graph, *(graph._get_function(name).graph for name in graph._functions)]
        found = [each for inner in graphs for each in inner.get_operations() if each.type == "Conv2D"]
        assert [each.outputs[0].shape[-1] for each in found] == [2 * 4]


@pytest.mark.parametrize(("activation", "goes"), [("relu", True), ("tanh", True), ("gelu", False)])
def test_max_pooling_goes_before_an_activation_that_rises(activation, goes):
    """One that falls anywhere stays where it is, for the greatest of what it gives may be of a lesser."""
    model = built("convnet", filters=(4,), activation=activation, widths=())
    images = tf.TensorSpec((6, 28, 28, 1))
    graph = tf.function(lambda x: folded(model)(x, training=True)).get_concrete_function(images).graph
    pooled = [each.inputs[0].op.type for each in graph.get_operations() if each.type == "MaxPool"]
    assert (pooled == ["BiasAdd"]) == goes
