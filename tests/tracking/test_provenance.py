"""Where runs come from, and what is added to them."""

from __future__ import annotations

import shutil

import pytest
from made_up import run_spec
from tracking.recordings import record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.tracking.artifacts import attach, fetch
from mnist_bench.tracking.provenance import provenance
from mnist_bench.tracking.reader import read_suite
from mnist_bench.tracking.recorded import finished_run


@pytest.fixture
def run_id(store):
    spec = run_spec()
    record(store, [spec], [run_result(spec, environment={"processor": "made up", "threads": "1"})])
    return read_suite(store, "made_up").runs["run_id"].iloc[0]


def test_a_run_says_where_it_comes_from(store, run_id):
    """Processor, threads and digests come back, and what it doesn't say is None."""
    told = provenance([finished_run(store, run_id)]).iloc[0]
    expected = {"run_id": run_id, "data_digest": "digest", "split_digest": "cut", "processor": "made up"}
    assert {name: told[name] for name in expected} == expected
    assert told["versions"] is None
    assert provenance([]).empty


def test_files_are_added_to_a_run_and_written_over(store, run_id):
    """What was there under another name stays."""
    place = store.client.get_run(run_id).info.artifact_uri
    for content in (b"first", b"second"):
        attach(store, run_id, {"report.html": content})
    assert fetch(store, place, "report.html") == b"second"
    assert fetch(store, place, "curves.png") == b"\x89PNG curves"


def test_files_that_cannot_be_added_are_told(store, run_id):
    """Where something stands in the way, or there is no such run, it is one line."""
    (folder,) = store.location.folder.glob(f"artifacts/*/*/{run_id}/artifacts")
    shutil.rmtree(folder)
    folder.touch()
    with pytest.raises(StoreError, match=rf"nothing can be added to the files of run {run_id}: "):
        attach(store, run_id, {"report.html": b"page"})
    with pytest.raises(StoreError, match="not found"):
        attach(store, "0" * 32, {"report.html": b"page"})
