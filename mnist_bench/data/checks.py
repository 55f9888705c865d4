"""Whether four arrays are a dataset. Nothing is used before it went through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Array", "Arrays", "checked", "one_line"]


class Array(NamedTuple):
    """An array as it was read, and where: a file, or a member of one."""

    where: str
    values: NDArray[Any]


class Arrays(NamedTuple):
    """The four arrays of a dataset, as they were read."""

    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array


def checked(
    arrays: Arrays,
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32]]:
    """The same arrays, in the same order, as a `Dataset` holds them.

    Images come as (n, height, width) or (n, height, width, 1), labels as (n,), both as whole numbers of any type.

    Raises:
        DataError: an array has the wrong shape, type or range, or two of them don't fit together.
    """
    train_images, test_images = _images(arrays.train_images), _images(arrays.test_images)
    train_labels, test_labels = _labels(arrays.train_labels), _labels(arrays.test_labels)
    _same_length(arrays.train_images, arrays.train_labels)
    _same_length(arrays.test_images, arrays.test_labels)
    if train_images.shape[1:] != test_images.shape[1:]:
        raise DataError(
            f"{arrays.test_images.where}: images of {_by(test_images)} pixels, but those to train on, in "
            f"{arrays.train_images.where}, have {_by(train_images)}: bring both to one size"
        )
    _same_classes(arrays, train_labels, test_labels)
    return train_images, train_labels.astype(np.int32), test_images, test_labels.astype(np.int32)


def one_line(fault: BaseException) -> str:
    """What another library says of a fault, fit for the inside of a one-line message."""
    return " ".join(f"{type(fault).__name__}: {fault}".split())


def _images(array: Array) -> NDArray[np.uint8]:
    where, values = array
    if values.ndim == 4 and values.shape[-1] == 1:  # noqa: PLR2004  (n, height, width, 1)
        values = values[..., 0]
    if values.ndim != 3:  # noqa: PLR2004  (n, height, width)
        raise DataError(f"{where}: shape {values.shape}, where images have (n, height, width): reshape them")
    _whole_numbers(where, values)
    low, high = values.min(), values.max()
    if low < 0 or high > 255:  # noqa: PLR2004  a byte
        raise DataError(f"{where}: pixels from {low} to {high}, where 0 to 255 is right: scale them")
    return np.ascontiguousarray(values, dtype=np.uint8)


def _labels(array: Array) -> NDArray[Any]:
    where, values = array
    if values.ndim != 1:
        raise DataError(f"{where}: shape {values.shape}, where labels have (n,): give each image one class number")
    _whole_numbers(where, values)
    return values


def _whole_numbers(where: str, values: NDArray[Any]) -> None:
    if not values.size:
        raise DataError(f"{where}: shape {values.shape} holds nothing: give it at least one image with its label")
    if values.dtype.kind in "iu":
        return
    if values.dtype.kind != "f":
        raise DataError(f"{where}: type {values.dtype}, where whole numbers are right: save them as uint8")
    if not (np.isfinite(values).all() and (values == np.floor(values)).all()):
        raise DataError(f"{where}: holds numbers that are not whole: pixels go from 0 to 255, labels from 0 up")


def _same_length(images: Array, labels: Array) -> None:
    if len(images.values) != len(labels.values):
        raise DataError(
            f"{labels.where}: {len(labels.values)} labels for the {len(images.values)} images in {images.where}: "
            "give each image one label"
        )


def _same_classes(arrays: Arrays, train_labels: NDArray[Any], test_labels: NDArray[Any]) -> None:
    found = np.unique(train_labels)
    gaps = np.flatnonzero(found != np.arange(len(found)))
    if gaps.size:
        raise DataError(
            f"{arrays.train_labels.where}: label {found[gaps[0]]} stands where {gaps[0]} is due: "
            "number the classes from 0 up without gaps"
        )
    if len(found) == 1:
        raise DataError(f"{arrays.train_labels.where}: one class only: give it images of two or more")
    strange = np.setdiff1d(test_labels, found)
    if strange.size:
        raise DataError(
            f"{arrays.test_labels.where}: label {strange[0]} is not among the {len(found)} classes in "
            f"{arrays.train_labels.where}: drop its images, or add some to train on"
        )


def _by(images: NDArray[Any]) -> str:
    return f"{images.shape[1]} x {images.shape[2]}"
