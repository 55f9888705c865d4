"""What a dataset says of itself."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from mnist_bench.data import Dataset


def test_shape_and_classes(dataset: Dataset) -> None:
    """A dataset knows its images' shape, as a model takes it, and how many classes it has."""
    assert dataset.image_shape == (5, 7, 1)
    assert dataset.classes == 3


def test_pickled(dataset: Dataset) -> None:
    """A dataset that was sent to another process is the same dataset."""
    there = pickle.loads(pickle.dumps(dataset))  # noqa: S301  our own bytes
    assert there.digest == dataset.digest
    np.testing.assert_array_equal(there.train_images, dataset.train_images)


@pytest.mark.parametrize("part", ["train_images", "train_labels", "test_images", "test_labels"])
def test_digest_covers_each_array(dataset: Dataset, part: str) -> None:
    """One other number in any of the four arrays gives another digest."""
    array = getattr(dataset, part).copy()
    array.flat[-1] = 1
    assert replace(dataset, **{part: array}).digest != dataset.digest


def test_digest_covers_shape(dataset: Dataset) -> None:
    """The same bytes as images of another shape give another digest."""
    turned = dataset.train_images.reshape(-1, 7, 5)
    assert replace(dataset, train_images=turned).digest != dataset.digest


def test_digest_leaves_labels_out(dataset: Dataset) -> None:
    """Name, source and note are no part of the digest."""
    assert replace(dataset, name="other", source="elsewhere", note="so").digest == dataset.digest
