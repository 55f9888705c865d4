"""All that was recorded, as rows."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import run_spec
from tracking.recordings import failed_result, new_store, record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.reporting.export import COLUMNS
from mnist_bench.tracking.archive import read_archive
from mnist_bench.tracking.reader import planned_suites
from mnist_bench.training.evaluation import confusion_json

MATRIX = np.array([[9, 1], [2, 8]])


def _finished(spec, **changes):
    return run_result(spec, artifacts={"confusion.json": confusion_json(MATRIX)}, **changes)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Suite `made_up` in two editions, the first of one run, the second of a finished and a failed one; and `other`."""
    store = new_store(tmp_path_factory, tmp_path_factory.mktemp("archive"))
    old, new, broken = (run_spec(seed=seed, epochs=epochs) for seed, epochs in ((0, 1), (0, 2), (1, 2)))
    record(store, [old], [_finished(old)], edition="first")
    record(store, [new, broken], [_finished(new, score=0.95), failed_result(broken)], edition="second")
    other = run_spec(suite="other")
    record(store, [other], [_finished(other)])
    return store


def test_every_run_is_there_and_those_that_count_are_marked(store):
    """Runs of former editions and failed ones are rows like the others; the last plan's alone count."""
    rows = read_archive(store, "made_up")["runs"]
    told = [(row["seed"], row["state"], row["counts"], row["test_accuracy"], row["cause"]) for row in rows]
    assert sorted(told, key=str) == [
        (0, "finished", False, 0.9, None),
        (0, "finished", True, 0.95, None),
        (1, "failed", True, None, "the loss was nan in epoch 1"),
    ]


def test_curves_and_matrices_are_long(store):
    """A row a metric an epoch, and a row a cell, each with the labels of its run; a failed run has no matrix."""
    archive = read_archive(store, "made_up")
    assert {(point["seed"], point["epoch"]) for point in archive["curves"]} == {(0, 1), (0, 2), (1, 1)}
    (counted,) = [row["run_id"] for row in archive["runs"] if row["counts"] and row["state"] == "finished"]
    cells = [cell for cell in archive["confusion"] if cell["run_id"] == counted]
    assert [(cell["true_class"], cell["predicted_class"], cell["images"]) for cell in cells] == [
        *((0, 0, 9), (0, 1, 1)),
        *((1, 0, 2), (1, 1, 8)),
    ]
    assert len(archive["confusion"]) == 8


def test_a_setting_stands_once_a_variant(store):
    """Two variants of one name, of two editions, differ by their keys and have their own settings."""
    epochs = [row for row in read_archive(store, "made_up")["settings"] if row["setting"] == "recipe.epochs"]
    assert sorted(row["value"] for row in epochs) == ["1", "2"]
    assert len({row["variant_key"] for row in epochs}) == 2


def test_rows_hold_what_is_described_and_nothing_else(store):
    """Each row has exactly the columns that the data dictionary describes."""
    for table, rows in read_archive(store).items():
        assert rows
        assert all(set(row) == set(COLUMNS[table]) for row in rows)


def test_suites_are_found_by_name_dataset_or_neither(store):
    """Without a name all suites are meant; what isn't there is answered with what is."""
    assert planned_suites(store, None, None) == [("made_up", "made-up"), ("other", "made-up")]
    assert planned_suites(store, "other", "made-up") == [("other", "made-up")]
    with pytest.raises(StoreError, match="did you mean 'other'"):
        planned_suites(store, "othr", None)
    with pytest.raises(StoreError, match=r"on 'made-down'.*did you mean 'made-up'"):
        planned_suites(store, None, "made-down")
