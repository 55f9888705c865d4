"""What tests of searches share."""

from __future__ import annotations

import pytest
from tuning.searching import Bench


@pytest.fixture
def bench(tmp_path, dataset):
    """A study in memory, searched by fakes."""
    return Bench(tmp_path, dataset)
