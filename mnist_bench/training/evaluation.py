"""What logits say: loss, accuracy, per-class figures, confusion matrix, predictions."""

from __future__ import annotations

import io
import json

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix

__all__ = ["confusion", "confusion_json", "predictions_npz", "recalls", "scores"]


def scores(logits: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy (without label smoothing, so that recipes compare) and accuracy in [0, 1].

    Args:
        logits: (n, classes).
        truth: int (n,).
    """
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    loss = -log_probabilities[np.arange(len(truth)), truth].mean()
    return float(loss), float((logits.argmax(axis=1) == truth).mean())


def confusion(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """int64 (classes, classes): rows the truth, columns the prediction."""
    return np.asarray(confusion_matrix(truth, logits.argmax(axis=1), labels=list(range(logits.shape[1]))))


def recalls(matrix: np.ndarray) -> dict[str, float]:
    """The share of each class's images that were recognised, as metrics, from a confusion matrix."""
    return {f"test_recall_{label}": figure for label, figure in enumerate(_shares(matrix, axis=1))}


def confusion_json(matrix: np.ndarray) -> bytes:
    """A confusion matrix as a JSON file, with each class's precision and recall; 0 where there is nothing to divide."""
    described = {
        "rows": "truth",
        "columns": "prediction",
        "counts": matrix.tolist(),
        "precision": _shares(matrix, axis=0),
        "recall": _shares(matrix, axis=1),
    }
    return json.dumps(described).encode()


def _shares(matrix: np.ndarray, axis: int) -> list[float]:
    """The diagonal's share of the rows (axis 1) or columns (axis 0)."""
    return [float(share) for share in np.diag(matrix) / np.maximum(matrix.sum(axis=axis), 1)]


def predictions_npz(logits: np.ndarray) -> bytes:
    """An `.npz` file: `predicted` uint8 or uint16 (n,), and `probabilities` float16 (n, classes).

    The predictions are the logits' own, since rounding to float16 can make a tie of two probabilities.
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        predicted=logits.argmax(axis=1).astype(np.min_scalar_type(logits.shape[1])),
        probabilities=np.exp(log_softmax(logits.astype(np.float64), axis=1)).astype(np.float16),
    )
    return buffer.getvalue()
