"""What logits say."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from mnist_bench.training import evaluation

LOGITS = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6]], dtype=np.float32))
TRUTH = np.array([0, 1, 1, 2])


def test_scores():
    """Loss is the mean of -log p(truth), accuracy the share of hits."""
    loss, accuracy = evaluation.scores(LOGITS, TRUTH)
    assert loss == pytest.approx(-np.log([0.7, 0.8, 0.3, 0.6]).mean(), rel=1e-6)
    assert accuracy == 0.75


def test_confusion_has_the_truth_in_its_rows():
    """The one image of class 1 that was taken for a 0 stands in row 1, column 0."""
    assert evaluation.confusion(LOGITS, TRUTH).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


def test_class_figures():
    """Precision over what was predicted, recall over what was there; nothing is divided by nothing."""
    matrix = evaluation.confusion(LOGITS, TRUTH)
    assert evaluation.recalls(matrix) == {"test_recall_0": 1, "test_recall_1": 0.5, "test_recall_2": 1}
    described = json.loads(evaluation.confusion_json(matrix))
    assert (described["precision"], described["recall"]) == ([0.5, 1, 1], [1, 0.5, 1])
    never = json.loads(evaluation.confusion_json(np.array([[2, 0], [1, 0]])))
    assert never["precision"][1] == never["recall"][1] == 0


def test_predictions_are_kept_image_by_image():
    """Predicted classes and probabilities come back from the file, without pickle."""
    with np.load(io.BytesIO(evaluation.predictions_npz(LOGITS)), allow_pickle=False) as file:
        assert file["predicted"].tolist() == [0, 1, 0, 2]
        np.testing.assert_allclose(file["probabilities"], np.exp(LOGITS), atol=1e-3)
