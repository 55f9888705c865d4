"""Which arrays are a dataset, and what is said of those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_bench.data import load
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAULTS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("x_train", lambda images: images.reshape(len(images), -1), "shape (24, 35)"),
    ("x_train", lambda images: np.stack([images] * 3, axis=-1), "shape (24, 5, 7, 3)"),
    ("x_train", lambda _: np.uint8(3), "shape ()"),
    ("x_train", lambda images: images[:0], "holds nothing"),
    ("x_train", lambda images: images[:, :0], "holds nothing"),
    ("x_train", lambda images: images.astype(np.int64) + 1_000, "pixels from"),
    ("x_train", lambda images: images.astype(np.int16) - 200, "pixels from"),
    ("x_train", lambda images: images / 255, "not whole"),
    ("x_test", lambda images: np.where(images > 9, np.nan, images), "not whole"),
    ("x_test", lambda images: np.where(images > 9, np.inf, images), "not whole"),
    ("x_test", lambda images: images.astype(np.complex64), "type complex64"),
    ("x_test", lambda images: images > 9, "type bool"),
    ("x_test", lambda images: images.astype("datetime64[s]"), "type datetime64"),
    ("x_test", lambda images: images[:, 1:], "images of 4 x 7 pixels"),
    ("x_test", lambda images: images[1:], "6 labels for the 5 images"),
    ("y_train", lambda labels: labels[1:], "23 labels for the 24 images"),
    ("y_train", lambda labels: labels + 1, "label 1 stands where 0 is due"),
    ("y_train", lambda labels: labels * 2, "label 2 stands where 1 is due"),
    ("y_train", lambda labels: labels.astype(np.int8) - 1, "label -1 stands where 0 is due"),
    ("y_train", lambda labels: labels + np.uint64(2**63), "label 9223372036854775808 stands where 0 is due"),
    ("y_train", lambda labels: labels * 0, "one class only"),
    ("y_train", lambda labels: np.eye(3)[labels], "shape (24, 3)"),
    ("y_train", lambda labels: labels.astype(str), "type <U"),
    ("y_test", lambda labels: labels + 1, "label 3 is not among the 3 classes"),
    ("y_test", lambda labels: labels.astype(object), "can't be read"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(
    tmp_path: Path,
    made_up: Callable[..., Any],
    write_npz: Callable[..., Path],
    fault: tuple[str, Callable[[Any], Any], str],
) -> None:
    """An array that is not what it should be is named in one line, with the fault."""
    member, spoil, message = fault
    arrays = made_up()
    arrays[member] = spoil(arrays[member])
    path = write_npz(tmp_path / "spoilt.npz", arrays)
    with pytest.raises(DataError) as raised:
        load(str(path))
    said = str(raised.value)
    assert message in said
    assert str(path) in said
    assert "\n" not in said
    if "can't be read" not in message:
        assert f"({member})" in said


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float16, np.float64, ">i4"])
def test_whole_numbers(
    tmp_path: Path, made_up: Callable[..., Any], write_npz: Callable[..., Path], dtype: type | str
) -> None:
    """Whole numbers of any type are the same dataset, in the types that training expects."""
    arrays = made_up()
    plain = load(str(write_npz(tmp_path / "plain.npz", arrays)))
    other = load(str(write_npz(tmp_path / "other.npz", {name: array.astype(dtype) for name, array in arrays.items()})))
    assert other.digest == plain.digest
    assert (other.train_images.dtype, other.test_labels.dtype) == (np.uint8, np.int32)


def test_channel_axis(tmp_path: Path, made_up: Callable[..., Any], write_npz: Callable[..., Path]) -> None:
    """Images of shape (n, height, width, 1) are the same as those of (n, height, width)."""
    arrays = made_up()
    plain = load(str(write_npz(tmp_path / "plain.npz", arrays)))
    arrays["x_train"] = arrays["x_train"][..., np.newaxis]
    assert load(str(write_npz(tmp_path / "other.npz", arrays))).digest == plain.digest
