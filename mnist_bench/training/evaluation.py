"""What logits say: loss, accuracy, per-class figures, confusion matrix, predictions."""

from __future__ import annotations

import io

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

__all__ = ["class_figures", "confusion", "predictions_npz", "scores"]


def scores(logits: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy (without label smoothing, so that recipes compare) and accuracy in [0, 1].

    Args:
        logits: (n, classes).
        truth: int (n,).
    """
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    loss = -log_probabilities[np.arange(len(truth)), truth].mean()
    return float(loss), float((logits.argmax(axis=1) == truth).mean())


def class_figures(logits: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Precision and recall of each class, as metrics; a class that is never predicted has precision 0."""
    classes = range(logits.shape[1])
    precision, recall, _, _ = precision_recall_fscore_support(
        truth, logits.argmax(axis=1), labels=list(classes), zero_division=0
    )
    figures = {f"test_precision_{label}": float(precision[label]) for label in classes}
    return figures | {f"test_recall_{label}": float(recall[label]) for label in classes}


def confusion(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """int64 (classes, classes): rows the truth, columns the prediction."""
    return np.asarray(confusion_matrix(truth, logits.argmax(axis=1), labels=list(range(logits.shape[1]))))


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
