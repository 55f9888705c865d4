"""What all tests share."""

from __future__ import annotations

import os

# Before TensorFlow is imported: as in a worker (mnist_bench/execution/engine.py).
os.environ |= {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "agg",
    "OPENBLAS_NUM_THREADS": "1",  # the tests run in two processes already
}

from typing import TYPE_CHECKING

import made_up
import pytest
import services

if TYPE_CHECKING:
    from mnist_bench.data import Dataset


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """300 images of 12 x 12 pixels in 3 classes."""
    return made_up.images()


@pytest.fixture(scope="session")
def postgresql():
    """Makes databases on one PostgreSQL server: called with a name, and with that of one to copy, it gives the URI."""
    with services.postgresql("secret") as port:
        yield lambda name, template=None: services.make_database(port, "secret", name, template)
