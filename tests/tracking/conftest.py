"""A store for each test."""

from __future__ import annotations

import pytest
from tracking.recordings import new_store


@pytest.fixture
def store(tmp_path_factory, tmp_path):
    """An empty SQLite store."""
    return new_store(tmp_path_factory, tmp_path)
