"""IDX, the format that MNIST was published in: a magic number, the sizes, the bytes."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from mnist_bench.data.checks import Array, Arrays, one_line
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["find", "read", "read_folder"]

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
GZIP = b"\x1f\x8b"
UNSIGNED_BYTES = 0x08
CHUNK_BYTES = 1 << 20


def find(folder: Path) -> list[Path]:
    """The four files of a folder, in the order of `FILES`, or an empty list where it has none of them.

    Raises:
        DataError: the folder has some of them, but not all.
    """
    found = {name: next(_spelled(folder, name), None) for name in FILES}
    missing = [name for name, path in found.items() if path is None]
    if 0 < len(missing) < len(FILES):
        raise DataError(
            f"{folder}: lacks {' and '.join(missing)} of the four IDX files: add them, or remove the others"
        )
    return [path for path in found.values() if path]


def read_folder(folder: Path) -> Arrays:
    """The arrays of a folder in which `find` found the four files.

    Raises:
        DataError: a file is broken.
    """
    train_images, train_labels, test_images, test_labels = find(folder)
    return Arrays(read(train_images, 3), read(train_labels, 1), read(test_images, 3), read(test_labels, 1))


def read(path: Path, dimensions: int) -> Array:
    """The uint8 array of an IDX file with so many dimensions, gzipped or not, whatever the file's name says.

    Raises:
        DataError: the file can't be read, or its bytes are not such an array and nothing else.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(len(GZIP)).startswith(GZIP)
            stream = gzip.GzipFile(fileobj=raw) if zipped else raw
            return Array(str(path), _parse(stream, path, dimensions))
    except (OSError, EOFError, zlib.error) as fault:
        raise DataError(f"{path}: can't be read ({one_line(fault)}): get the file again") from fault


def _parse(stream: gzip.GzipFile | BinaryIO, path: Path, dimensions: int) -> NDArray[np.uint8]:
    magic, sizes = stream.read(4), stream.read(4 * dimensions)
    if magic != bytes([0, 0, UNSIGNED_BYTES, dimensions]) or len(sizes) < 4 * dimensions:
        raise DataError(
            f"{path}: starts with {magic.hex(' ') or 'nothing'}, where an IDX file of bytes in {dimensions} "
            f"dimension{'s' if dimensions > 1 else ''} has 00 00 08 {dimensions:02x} and its sizes: get the file again"
        )
    shape = struct.unpack(f">{dimensions}I", sizes)
    if 0 in shape:
        raise DataError(f"{path}: its header gives the sizes {shape}, which hold nothing: get the file again")
    expected = math.prod(shape)
    body = bytearray()
    # In chunks, so that memory is taken for what the file has and not for what its header claims.
    while len(body) <= expected and (chunk := stream.read(CHUNK_BYTES)):
        body += chunk
    if len(body) != expected:
        has = f"only {len(body)}" if len(body) < expected else "more"
        raise DataError(f"{path}: its header announces {expected} bytes, but it has {has}: get the file again")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)


def _spelled(folder: Path, name: str) -> Iterator[Path]:
    """The file of that name, under each spelling that is in use."""
    for stem in (name, name.replace("-idx", ".idx")):
        for ending in ("", ".gz"):
            path = folder / f"{stem}{ending}"
            if path.is_file():
                yield path
