"""Where a dataset is looked for, and what it is called."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_bench.data import load, sources
from mnist_bench.data.fetch import cache, fetch
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = os.environ.get("MNIST_BENCH_DATA")  # read before the fixtures hide it


def test_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_up: Callable[..., Any], write_npz: Callable[..., Path]
) -> None:
    """The folder that is given wins over the environment's, that over Keras' cache, and that over the network."""
    cached = write_npz(cache() / "mnist.npz", made_up(1))
    assert load("mnist").source == str(cached)
    named = write_npz(tmp_path / "named" / "mnist.npz", made_up(2))
    monkeypatch.setenv("MNIST_BENCH_DATA", str(named.parent))
    assert load("mnist").source == str(named)
    given = write_npz(tmp_path / "given" / "mnist.npz", made_up(3))
    assert load("mnist", given.parent).source == str(given)
    assert load("auto", given.parent).source == str(given)


def test_network_fills_the_cache(
    monkeypatch: pytest.MonkeyPatch, made_up: Callable[..., Any], write_npz: Callable[..., Path]
) -> None:
    """What is nowhere else is fetched, and then read from the cache."""
    monkeypatch.setattr(sources, "fetch", lambda name: write_npz(cache() / f"{name}.npz", made_up()))
    dataset = load("auto")
    assert (dataset.name, dataset.source, dataset.note) == ("mnist", str(cache() / "mnist.npz"), "")


def test_fetch_that_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that ends well without a file is an error, not a crash."""
    monkeypatch.setattr(sources, "fetch", lambda _: None)
    with pytest.raises(DataError, match="holds no kmnist"):
        load("kmnist")


@pytest.mark.parametrize(
    ("name", "folder"),
    [("mnist", "."), ("mnist", "mnist"), ("fashion_mnist", "fashion-mnist"), ("kmnist", "kmnist")],
)
def test_idx_in_the_cache(made_up: Callable[..., Any], write_idx: Callable[..., Path], name: str, folder: str) -> None:
    """IDX files are found in the cache, in the subfolder where Keras puts those of the dataset."""
    place = write_idx(cache() / folder, made_up(), zipped=True)
    dataset = load(name)
    assert (dataset.name, dataset.source) == (name, str(place))


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_bare_idx_files_are_mnist(
    tmp_path: Path, made_up: Callable[..., Any], write_idx: Callable[..., Path], name: str
) -> None:
    """IDX files that lie in the data folder itself are never taken for another dataset than MNIST."""
    write_idx(tmp_path, made_up())
    assert load("mnist", tmp_path).name == "mnist"
    with pytest.raises(DataError, match=f"holds neither {name}.npz nor the four IDX files in {name}/"):
        load(name, tmp_path)


def test_given_folder_without_the_dataset(
    tmp_path: Path, made_up: Callable[..., Any], write_npz: Callable[..., Path]
) -> None:
    """A folder that was given and lacks the dataset is an error, even for `auto` and with a filled cache."""
    write_npz(cache() / "mnist.npz", made_up())
    for name in ("mnist", "auto"):
        with pytest.raises(DataError, match=r"holds neither mnist\.npz nor the four IDX files:"):
            load(name, tmp_path)


def test_folder_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_up: Callable[..., Any], write_npz: Callable[..., Path]
) -> None:
    """A folder in the environment may lack a dataset, but must exist."""
    cached = write_npz(cache() / "mnist.npz", made_up())
    monkeypatch.setenv("MNIST_BENCH_DATA", str(tmp_path))
    assert load("mnist").source == str(cached)
    monkeypatch.setenv("MNIST_BENCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="nowhere: is no folder: let MNIST_BENCH_DATA"):
        load("mnist")


def test_broken_file_is_never_passed_over(tmp_path: Path) -> None:
    """A broken file where the dataset should be is an error for `auto` too, not a reason to take another dataset."""
    (tmp_path / "mnist.npz").write_bytes(b"half a file")
    with pytest.raises(DataError, match=r"mnist\.npz"):
        load("auto", tmp_path)


def test_auto_without_network() -> None:
    """Where MNIST can't be had, `auto` is mnist-5k, and says so with the reason and the mend."""
    dataset = load("auto")
    assert dataset.name == "mnist-5k"
    assert "no network" in dataset.note
    assert "--data-dir" in dataset.note
    assert "\n" not in dataset.note
    assert dataset.digest == load("mnist-5k").digest
    assert not load("mnist-5k").note


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_named_dataset_without_network(name: str) -> None:
    """A dataset that was asked for by name and can't be had is an error that says what was tried, and the mend."""
    with pytest.raises(DataError, match=rf"^{name} is neither in .*\(no network\).*--data-dir.*mnist-5k$"):
        load(name)


def test_sample() -> None:
    """mnist-5k has 400 digits a class to train on and 100 to test on, and none of these among those."""
    dataset = load("mnist-5k")
    assert dataset.train_images.shape == (4000, 28, 28)
    assert np.bincount(dataset.train_labels).tolist() == [400] * 10
    assert np.bincount(dataset.test_labels).tolist() == [100] * 10
    train = {image.tobytes() for image in dataset.train_images}
    assert train.isdisjoint(image.tobytes() for image in dataset.test_images)


@pytest.mark.parametrize(
    ("file", "stem"), [("mine.npz", "mine"), ("my digits (2).npz", "my-digits-2-"), ("Ünï.v2.npz", "n-.v2")]
)
def test_name_of_a_path(
    tmp_path: Path, made_up: Callable[..., Any], write_npz: Callable[..., Path], file: str, stem: str
) -> None:
    """A dataset at a path is called by its file's name, made safe, and the start of its digest."""
    dataset = load(str(write_npz(tmp_path / file, made_up())))
    assert dataset.name == f"{stem.rstrip('-')}-{dataset.digest[:8]}"
    other = load(str(write_npz(tmp_path / file, made_up(1))))
    assert other.name != dataset.name


def test_folder_at_a_path(tmp_path: Path, made_up: Callable[..., Any], write_npz: Callable[..., Path]) -> None:
    """A folder is a dataset if it holds one, and an error if it holds none or several."""
    with pytest.raises(DataError, match="holds neither"):
        load(str(tmp_path))
    first = write_npz(tmp_path / "first.npz", made_up())
    assert load(str(tmp_path)).source == str(first)
    write_npz(tmp_path / "second.npz", made_up())
    with pytest.raises(DataError, match="holds 2 datasets"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnsit", "did you mean 'mnist'"),
        ("", "known: auto"),
        ("nowhere.npz", "no such file"),
        ("no/where", "no such file"),
        ("x" * 300, "can't be read"),
    ],
)
def test_unknown_name(name: str, message: str) -> None:
    """A name that is neither a dataset's nor a path is an error with the nearest right one."""
    with pytest.raises(DataError, match=message):
        load(name)


@pytest.mark.parametrize("name", ["mnist-5k", "some.npz"])
def test_folder_for_what_needs_none(tmp_path: Path, name: str) -> None:
    """A data folder beside a dataset that doesn't come from one is an error, not ignored."""
    with pytest.raises(DataError, match="leave out --data-dir"):
        load(name, tmp_path)


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that can't be written is an error that names KERAS_HOME."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="KERAS_HOME"):
        fetch("mnist")


def test_downloaded_files_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Keras downloads in its process ends in the cache, in the same subfolders, and nothing else stays."""

    def keras(command: list[str], *, env: dict[str, str], **_: object) -> None:
        folder = Path(env["KERAS_HOME"]) / "datasets" / command[-1]
        folder.mkdir(parents=True)
        (folder / "train-images-idx3-ubyte.gz").write_bytes(b"digits")

    monkeypatch.setattr(subprocess, "run", keras)
    fetch("kmnist")
    assert [path.name for path in cache().iterdir()] == ["kmnist"]
    assert (cache() / "kmnist" / "train-images-idx3-ubyte.gz").read_bytes() == b"digits"


def test_download_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download is given up after a while, and leaves nothing in the cache."""

    def hang(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 300)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(DataError, match="longer than 300 seconds"):
        fetch("mnist")
    assert not list(cache().iterdir())


@pytest.mark.slow
def test_network_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real download, behind a proxy that isn't there, fails soon and in one line."""
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # the discard port: nobody listens
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(DataError, match=r"^the download of mnist failed \(.*refused.*\)$"):
        fetch("mnist")


def test_no_tensorflow() -> None:
    """Loading a dataset imports neither TensorFlow nor Keras."""
    code = "import sys, mnist_bench.data as d; d.load('mnist-5k'); print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.skipif(DATA is None, reason="the whole of MNIST, where MNIST_BENCH_DATA names its folder")
def test_whole_mnist(as_idx: Callable[..., bytes]) -> None:
    """The whole of MNIST has its known sizes, and as an IDX file the bytes that were published."""
    dataset = load("mnist", Path(str(DATA)))
    assert dataset.train_images.shape == (60_000, 28, 28)
    assert dataset.test_images.shape == (10_000, 28, 28)
    published = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    assert hashlib.sha256(as_idx(dataset.train_images)).hexdigest() == published


@pytest.mark.skipif(DATA is None, reason="the whole of MNIST, where MNIST_BENCH_DATA names its folder")
def test_sample_is_of_the_training_part() -> None:
    """Every digit of mnist-5k is one of MNIST's training images."""
    whole, sample = load("mnist", Path(str(DATA))), load("mnist-5k")
    train = {image.tobytes() for image in whole.train_images}
    assert train.issuperset(image.tobytes() for image in np.concatenate([sample.train_images, sample.test_images]))
