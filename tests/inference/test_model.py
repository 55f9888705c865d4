"""Recorded models, read back and asked."""

from __future__ import annotations

import io
import shutil

import keras
import numpy as np
import pytest
from made_up import run_spec

from mnist_bench.errors import ArchitectureError
from mnist_bench.inference.model import diagram, layer_table, probabilities, read_model
from mnist_bench.training.trainer import train


@pytest.mark.parametrize(
    "recipe", [{}, {"normalize": False}, {"precision": "bfloat16"}], ids=["plain", "raw", "bfloat16"]
)
def test_a_model_says_of_the_test_images_what_its_run_recorded(dataset, recipe):
    """Read back from its file, it predicts the recorded classes, with the recorded probabilities."""
    spec = run_spec(dataset, **recipe)
    result = train(spec, dataset, on_epoch=lambda _: None)
    with np.load(io.BytesIO(result.artifacts["predictions.npz"])) as recorded:
        said = probabilities(read_model(result.model), dataset.test_images, normalize=spec.recipe.normalize)
        np.testing.assert_array_equal(said.argmax(axis=1), recorded["predicted"])
        np.testing.assert_allclose(said, recorded["probabilities"], atol=1e-3)
    np.testing.assert_allclose(said.sum(axis=1), 1)


def _model(*layers):
    return keras.Sequential([keras.Input((12, 12, 1), name="images"), keras.layers.Flatten(), *layers])


def test_a_file_can_not_bring_code(tmp_path):
    """Keras' safe mode refuses a model whose file holds a function."""
    path = tmp_path / "model.keras"
    _model(keras.layers.Lambda(lambda x: x + 1)).save(path)
    with pytest.raises(ArchitectureError, match="the recorded model can't be read by Keras") as refused:
        read_model(path.read_bytes())
    assert "\n" not in str(refused.value)


def test_a_damaged_file_is_refused():
    """So is what is no `.keras` file at all."""
    with pytest.raises(ArchitectureError, match="can't be read"):
        read_model(b"PK nothing")


def test_the_layer_table_is_keras_own():
    """It has a line a layer, with its shape, and the number of parameters."""
    table = layer_table(_model(keras.layers.Dense(3, name="logits")))
    assert "logits (Dense)" in table
    assert "(None, 3)" in table
    assert "Total params: 435" in table


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_the_diagram_is_a_picture():
    """Keras plots it where Graphviz is installed."""
    assert diagram(_model(keras.layers.Dense(3))).startswith(b"\x89PNG")


def test_without_graphviz_there_is_no_diagram(monkeypatch, tmp_path):
    """Where `dot` can't be found, nothing is drawn, and nothing raised."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert diagram(_model(keras.layers.Dense(3))) is None
