"""What is held out for validation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_bench.data import split
from mnist_bench.errors import DataError

LABELS = np.repeat(np.arange(4, dtype=np.int32), [10, 20, 30, 40])


@pytest.mark.parametrize("validation", [0.2, 20])
def test_stratified(validation: float) -> None:
    """A number of images, or a fraction of them, is held out, of each class in proportion."""
    cut = split(LABELS, validation)
    assert np.bincount(LABELS[cut.validation]).tolist() == [2, 4, 6, 8]
    assert np.bincount(LABELS[cut.train]).tolist() == [8, 16, 24, 32]
    assert cut.train.dtype == cut.validation.dtype == np.int64


@pytest.mark.parametrize("validation", [0, 0.0])
def test_nothing_held_out(validation: float) -> None:
    """Zero leaves every image to train on."""
    cut = split(LABELS, validation)
    assert cut.train.tolist() == list(range(100))
    assert cut.validation.size == 0


def test_same_cut_every_time() -> None:
    """The same labels are cut alike each time, and the digest tells one cut from another."""
    assert split(LABELS, 20).digest == split(LABELS, 0.2).digest
    digests = {split(LABELS, validation).digest for validation in (0, 19, 20)}
    assert len(digests) == 3
    assert all(len(digest) == 16 for digest in digests)


@pytest.mark.parametrize("validation", [1, 3, 97, 100, 101, -1, 0.01, 0.99, 1.0, 1.5, -0.1])
def test_no_place_for_a_class(validation: float) -> None:
    """A cut that leaves a class out on one side is an error of one line."""
    with pytest.raises(DataError, match=f"validation = {validation} of 100 images") as raised:
        split(LABELS, validation)
    assert "\n" not in str(raised.value)


def test_rare_class() -> None:
    """A class too rare to be in both parts is an error, even where the numbers would allow a cut."""
    with pytest.raises(DataError, match="without an image"):
        split(np.repeat(np.arange(2, dtype=np.int32), [1, 99]), 20)
    with pytest.raises(DataError, match="without an image"):
        split(np.repeat(np.arange(2, dtype=np.int32), [2, 98]), 10)


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    validation=st.integers(-2, 62) | st.floats(0, 1),
)
def test_any_cut(labels: list[int], validation: float) -> None:
    """Any labels are cut into two parts without overlap that both hold every class, or refused."""
    array = np.array(labels, dtype=np.int32)
    try:
        cut = split(array, validation)
    except DataError:
        return
    assert sorted([*cut.train, *cut.validation]) == list(range(len(labels)))
    if validation:
        assert set(array[cut.train]) == set(array[cut.validation]) == set(labels)
