"""What is held out of the training images for validation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.data.checks import one_line
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Split", "split"]

SEED = 0  # fixed: every run of every seed validates on the same images


@dataclass(frozen=True, eq=False)
class Split:
    """Indices into the training images, each in ascending order and each image in one of the two."""

    train: NDArray[np.int64]  # (n - v,)
    validation: NDArray[np.int64]  # (v,)

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that identify the cut."""
        digest = hashlib.sha256()
        for name, indices in (("train", self.train), ("validation", self.validation)):
            digest.update(f"{name} {indices.dtype.str} {indices.shape}".encode())
            digest.update(indices.tobytes())
        return digest.hexdigest()[:16]


def split(labels: NDArray[np.int32], validation: float) -> Split:
    """Hold out `validation` of the images with these labels (n,), each class in proportion.

    Args:
        labels: of the training images.
        validation: how many images, if it is an integer; otherwise the fraction of them; 0 holds nothing out.

    Raises:
        DataError: that leaves a class without an image to train on or to validate on.
    """
    everything = np.arange(len(labels), dtype=np.int64)
    if not validation:
        return Split(everything, everything[:0])

    from sklearn.model_selection import train_test_split  # noqa: PLC0415  takes 1.4 s, and is not always needed

    fault = (
        f"validation = {validation} of {len(labels)} images leaves a class without an image to train or to "
        "validate on: hold out more or fewer, or 0 for none"
    )
    try:
        train, held_out = train_test_split(everything, test_size=validation, stratify=labels, random_state=SEED)
    except ValueError as reason:
        raise DataError(f"{fault} ({one_line(reason)})") from reason
    classes = len(np.unique(labels))
    if len(np.unique(labels[train])) < classes or len(np.unique(labels[held_out])) < classes:
        raise DataError(fault)
    return Split(np.sort(train), np.sort(held_out))
