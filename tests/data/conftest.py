"""Made-up datasets, and a world in which no real one is found."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest

from mnist_bench.data import Dataset, sources
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def no_real_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a folder in the environment, nor a filled cache, nor a network."""

    def unreachable(name: str) -> NoReturn:
        raise DataError(f"the download of {name} failed (no network)")

    monkeypatch.delenv("MNIST_BENCH_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(sources, "fetch", unreachable)


@pytest.fixture(scope="session")
def made_up() -> Callable[..., dict[str, NDArray[np.uint8]]]:
    """Arrays by their names in a `.npz` file, different for each seed."""

    def build(seed: int = 0, *, size: tuple[int, int] = (5, 7), classes: int = 3) -> dict[str, NDArray[np.uint8]]:
        random = np.random.default_rng(seed)
        return {
            "x_train": random.integers(0, 256, (8 * classes, *size), dtype=np.uint8),
            "y_train": np.arange(8 * classes, dtype=np.uint8) % classes,
            "x_test": random.integers(0, 256, (2 * classes, *size), dtype=np.uint8),
            "y_test": np.arange(2 * classes, dtype=np.uint8) % classes,
        }

    return build


@pytest.fixture(scope="session")
def write_npz() -> Callable[..., Path]:
    """Writes arrays as a `.npz` file, and returns its path."""

    def write(path: Path, arrays: dict[str, NDArray[np.uint8]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=True, **arrays)
        return path

    return write


@pytest.fixture(scope="session")
def as_idx() -> Callable[..., bytes]:
    """An array as the bytes of an IDX file."""

    def encode(array: NDArray[np.uint8]) -> bytes:
        return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()

    return encode


@pytest.fixture(scope="session")
def write_idx(as_idx: Callable[..., bytes]) -> Callable[..., Path]:
    """Writes arrays as the four IDX files of a folder, and returns the folder."""

    def write(folder: Path, arrays: dict[str, NDArray[np.uint8]], *, dot: str = "-", zipped: bool = False) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for member, array in arrays.items():
            part = member.removeprefix("x_").removeprefix("y_").replace("test", "t10k")
            kind = "images" if member.startswith("x_") else "labels"
            path = folder / f"{part}-{kind}{dot}idx{array.ndim}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(as_idx(array)) if zipped else as_idx(array))
        return folder

    return write


@pytest.fixture
def dataset(made_up: Callable[..., dict[str, NDArray[np.uint8]]]) -> Dataset:
    """A made-up dataset of three classes."""
    arrays = made_up()
    labels = {name: arrays[name].astype(np.int32) for name in ("y_train", "y_test")}
    return Dataset("made-up", "a test", arrays["x_train"], labels["y_train"], arrays["x_test"], labels["y_test"])
