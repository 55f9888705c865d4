"""Confusion matrices, read back as they were recorded."""

from __future__ import annotations

import json

import pytest
from made_up import run_spec
from tracking.recordings import record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.tracking.confusion import read_confusion
from mnist_bench.tracking.reader import read_suite
from mnist_bench.tracking.recorded import finished_run


def _recorded(store, content):
    spec = run_spec()
    record(store, [spec], [run_result(spec, artifacts={} if content is None else {"confusion.json": content})])
    return finished_run(store, read_suite(store, "made_up").runs["run_id"].iloc[0])


def test_counts_come_back(store):
    """Rows are the truth, as they were recorded."""
    run = _recorded(store, json.dumps({"counts": [[9, 1], [0, 10]]}).encode())
    assert read_confusion(store, run).tolist() == [[9, 1], [0, 10]]


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"counts": [[1], [2, 3]]}'])
def test_a_damaged_matrix_is_told(store, content):
    """A file that is gone, or that is no matrix, is one line that says how to mend it."""
    run = _recorded(store, content)
    with pytest.raises(StoreError, match=rf"run {run.info.run_id}: its confusion.json is missing or can't be read"):
        read_confusion(store, run)


def test_a_matrix_that_is_not_square_is_told(store):
    """What was written over is not taken for counts."""
    with pytest.raises(StoreError, match="holds no square matrix"):
        read_confusion(store, _recorded(store, b'{"counts": [[1, 2]]}'))
