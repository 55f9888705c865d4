"""What another version wrote."""

from __future__ import annotations

import pytest
from made_up import run_spec
from tracking.recordings import agenda, record, run_result

from mnist_bench import __version__
from mnist_bench.errors import StoreError
from mnist_bench.tracking import Outbox, Recorder, read_past
from mnist_bench.tracking.reader import read_suite


def experiment(store):
    return store.client.get_experiment_by_name("made_up/made-up")


def test_an_experiment_bears_the_version_that_wrote_it(store):
    """Schema and version are tags of the experiment."""
    record(store, [run_spec()], [run_result()])
    assert experiment(store).tags["schema"] == "2"
    assert experiment(store).tags["written_by"] == __version__


@pytest.mark.parametrize("schema", ["3", "a"])
def test_what_a_newer_version_wrote_is_refused(store, schema):
    """Neither readers nor writers touch it, and both name the version that wrote it."""
    record(store, [run_spec()], [run_result()])
    store.client.set_experiment_tag(experiment(store).experiment_id, "schema", schema)
    store.client.set_experiment_tag(experiment(store).experiment_id, "written_by", "9.9")
    told = rf"made_up/made-up was written by mnist-bench 9\.9 \(schema {schema}\), and this is {__version__}"
    for touch in (
        lambda: read_suite(store, "made_up"),
        lambda: read_past(store, "made_up", "made-up"),
        lambda: Recorder(store, Outbox(store.location.outbox)).prepare(agenda([run_spec()])),
    ):
        with pytest.raises(StoreError, match=told):
            touch()


def test_what_was_written_before_schemas_is_read_and_marked(store):
    """An experiment without a version is as good as the first."""
    record(store, [run_spec()], [run_result()])
    store.client.delete_experiment_tag(experiment(store).experiment_id, "schema")
    assert len(read_suite(store, "made_up").runs) == 1
    record(store, [run_spec()], [])
    assert experiment(store).tags["schema"] == "2"
