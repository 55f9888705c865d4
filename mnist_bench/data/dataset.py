"""A dataset in memory: two parts of images with their labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Grey images of one size, labelled 0 to `classes` - 1; its arrays are checked by whoever makes it, `load`."""

    name: str  # a label that can stand in a file name
    source: str  # where it came from, for people
    train_images: NDArray[np.uint8]  # (n, height, width)
    train_labels: NDArray[np.int32]  # (n,)
    test_images: NDArray[np.uint8]  # (m, height, width)
    test_labels: NDArray[np.int32]  # (m,)
    note: str = ""  # one line, where this is not quite what was asked for

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, 1), as a model takes it."""
        height, width = self.train_images.shape[1:]
        return height, width, 1

    @property
    def classes(self) -> int:
        """How many classes the labels tell apart."""
        return int(self.train_labels.max()) + 1

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that identify the four arrays, whatever file they came from."""
        digest = hashlib.sha256()
        for name in ("train_images", "train_labels", "test_images", "test_labels"):
            array = getattr(self, name)
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]
