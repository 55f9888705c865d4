"""IDX and NPZ: the same arrays from either, and one-line errors from anything else."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_bench.data import idx, load
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMAGES = "train-images-idx3-ubyte"


@pytest.mark.parametrize("spelling", [{}, {"dot": "."}, {"zipped": True}, {"dot": ".", "zipped": True}])
def test_same_digest_from_idx_and_npz(
    tmp_path: Path,
    made_up: Callable[..., Any],
    write_idx: Callable[..., Path],
    write_npz: Callable[..., Path],
    spelling: dict[str, Any],
) -> None:
    """The same arrays are the same dataset as IDX, in either spelling, gzipped or not, and as NPZ."""
    arrays = made_up()
    from_idx = load(str(write_idx(tmp_path / "idx", arrays, **spelling)))
    from_npz = load(str(write_npz(tmp_path / "made.npz", arrays)))
    assert from_idx.digest == from_npz.digest
    np.testing.assert_array_equal(from_idx.train_images, arrays["x_train"])
    np.testing.assert_array_equal(from_idx.test_labels, arrays["y_test"])
    assert from_idx.image_shape == (5, 7, 1)
    assert from_idx.classes == 3


def test_gzip_is_known_by_its_bytes(tmp_path: Path, as_idx: Callable[..., bytes]) -> None:
    """A gzipped file without `.gz` and a plain one with it are read all the same."""
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "zipped").write_bytes(gzip.compress(as_idx(images)))
    (tmp_path / "plain.gz").write_bytes(as_idx(images))
    np.testing.assert_array_equal(idx.read(tmp_path / "zipped", 3).values, images)
    np.testing.assert_array_equal(idx.read(tmp_path / "plain.gz", 3).values, images)


HEAD = bytes([0, 0, 8, 3])
BROKEN = {
    "empty": (b"", "nothing"),
    "text": (b"<!DOCTYPE html>", "3c 21 44 4f"),
    "other type": (bytes([0, 0, 13, 3]) + struct.pack(">3I", 1, 1, 1) + bytes(4), "00 00 0d 03"),
    "other dimensions": (bytes([0, 0, 8, 1]) + struct.pack(">I", 12) + bytes(12), "00 00 08 01"),
    "no sizes": (HEAD + bytes(5), "and its sizes"),
    "no images": (HEAD + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1), "hold nothing"),
    "short": (HEAD + struct.pack(">3I", 2, 2, 2) + bytes(7), "8 bytes, but it has only 7"),
    "trailing": (HEAD + struct.pack(">3I", 2, 2, 2) + bytes(9), "8 bytes, but it has more"),
    "absurd": (HEAD + struct.pack(">3I", *[2**32 - 1] * 3) + bytes(9), "but it has only 9"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_idx(tmp_path: Path, content: bytes, message: str, zipped: bool) -> None:  # noqa: FBT001  pytest's
    """A file that is not the IDX file which it should be is named in one line, with the fault."""
    path = tmp_path / IMAGES
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=message) as raised:
        idx.read(path, 3)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:30] + b"\xff" + b[31:], lambda b: b + b"junk"])
def test_damaged_gzip(tmp_path: Path, as_idx: Callable[..., bytes], damage: Callable[[bytes], bytes]) -> None:
    """A gzipped file that is cut off, altered or followed by something else is an error that names it."""
    path = tmp_path / f"{IMAGES}.gz"
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8), dtype=np.uint8)
    path.write_bytes(damage(gzip.compress(as_idx(images))))
    with pytest.raises(DataError, match="can't be read") as raised:
        idx.read(path, 3)
    assert str(path) in str(raised.value)


def test_absurd_sizes_take_no_memory(tmp_path: Path) -> None:
    """A header that announces 4 GiB takes no more memory than the file has bytes."""
    path = tmp_path / IMAGES
    path.write_bytes(HEAD + struct.pack(">3I", 4, 1024, 2**20) + bytes(100))
    tracemalloc.start()
    with pytest.raises(DataError, match="only 100"):
        idx.read(path, 3)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 4 << 20


def test_missing_idx_file(tmp_path: Path, made_up: Callable[..., Any], write_idx: Callable[..., Path]) -> None:
    """A folder with three of the four files is told which one it lacks."""
    (write_idx(tmp_path, made_up()) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"lacks t10k-labels-idx1-ubyte of the four"):
        load(str(tmp_path))


def test_missing_member(tmp_path: Path, made_up: Callable[..., Any], write_npz: Callable[..., Path]) -> None:
    """An archive that lacks a member is told which."""
    arrays = made_up()
    del arrays["x_test"]
    with pytest.raises(DataError, match=r"a\.npz: lacks the member x_test"):
        load(str(write_npz(tmp_path / "a.npz", arrays)))


@pytest.mark.parametrize("damage", [lambda _: b"", lambda b: b[:-30], lambda b: b[:200] + b"\xff" * 9 + b[209:]])
def test_damaged_npz(
    tmp_path: Path,
    made_up: Callable[..., Any],
    write_npz: Callable[..., Path],
    damage: Callable[[bytes], bytes],
) -> None:
    """An archive that is empty, cut off or altered is an error that names it."""
    path = write_npz(tmp_path / "a.npz", made_up())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"a\.npz: (is no \.npz archive|can't be read)"):
        load(str(path))


def test_single_array_is_no_archive(tmp_path: Path) -> None:
    """An array that was saved alone, under the name of an archive, is an error."""
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"is no \.npz archive"):
        load(str(tmp_path / "a.npz"))


@given(content=st.binary() | st.binary().map(lambda body: HEAD + bytes([0, 0, 0, 1] * 3) + body), zipped=st.booleans())
def test_any_bytes_as_idx(tmp_path_factory: pytest.TempPathFactory, content: bytes, *, zipped: bool) -> None:
    """Any bytes are an array of bytes in three dimensions, or an error of ours."""
    path = tmp_path_factory.getbasetemp() / "any.idx"
    path.write_bytes(gzip.compress(content) if zipped else content)
    try:
        read = idx.read(path, 3).values
    except DataError as fault:
        assert "\n" not in str(fault)  # noqa: PT017  either outcome is right
    else:
        assert read.ndim == 3
        assert read.tobytes() == content[16:]


@given(data=st.data())
def test_any_damage_to_npz(
    tmp_path_factory: pytest.TempPathFactory,
    made_up: Callable[..., Any],
    write_npz: Callable[..., Path],
    data: st.DataObject,
) -> None:
    """Arbitrary bytes anywhere in an archive leave a dataset of the right types, or an error of ours."""
    path = write_npz(tmp_path_factory.getbasetemp() / "any.npz", made_up())
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)) | st.just(len(content)))
    path.write_bytes(content[:start] + data.draw(st.binary(max_size=60)) + content[end:])
    try:
        loaded = load(str(path))
    except DataError as fault:
        assert "\n" not in str(fault)  # noqa: PT017  either outcome is right
    else:
        assert (loaded.train_images.dtype, loaded.test_labels.dtype) == (np.uint8, np.int32)
        assert loaded.classes >= 2
