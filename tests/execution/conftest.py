"""Workers that the tests of a file share."""

from __future__ import annotations

import pytest

from mnist_bench.execution.engine import Engine


@pytest.fixture(scope="module")
def engine(dataset):
    """Two workers that hold the made-up images."""
    with Engine(dataset, workers=2) as engine:
        yield engine
