"""What all tests share."""

from __future__ import annotations

import os

# Before TensorFlow is imported: as in a worker (mnist_bench/training/environment.py).
os.environ |= {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "agg",
    "OPENBLAS_NUM_THREADS": "1",  # the tests run in two processes already
}

from typing import TYPE_CHECKING

import hypothesis
import made_up
import pytest
import services

if TYPE_CHECKING:
    from mnist_bench.data import Dataset

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_report_header() -> str:
    """Which PostgreSQL is tried."""
    return f"PostgreSQL: {services.found('postgres') or 'none, so what needs it is skipped'}"


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """300 images of 12 x 12 pixels in 3 classes."""
    return made_up.images()


@pytest.fixture(scope="session")
def postgresql_port():
    """The port of a PostgreSQL server, one for all tests of a process."""
    with services.postgresql() as port:
        yield port


@pytest.fixture(scope="session")
def postgresql(postgresql_port):
    """Makes databases on it: called with a name, and with that of one to copy, it gives the URI."""
    return lambda name, template=None: services.make_database(postgresql_port, name, template)
