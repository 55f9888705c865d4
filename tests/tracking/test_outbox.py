"""The outbox: whole files or none."""

from __future__ import annotations

import zipfile
from dataclasses import fields

import numpy as np
import pytest
from made_up import run_spec
from tracking.recordings import failed_result, run_result

from mnist_bench.tracking import Outbox


@pytest.mark.parametrize("result", [run_result(), failed_result(run_spec(start_from=run_spec()), "stopped")])
def test_gives_back_what_was_put(tmp_path, result):
    """A result comes back equal, field by field, NaN and arrays included."""
    outbox = Outbox(tmp_path / "outbox")
    entry = outbox.put(result)
    assert outbox.entries() == [entry]
    read = outbox.read(entry)
    for field in fields(result):
        np.testing.assert_equal(getattr(read, field.name), getattr(result, field.name), err_msg=field.name)


def test_the_same_run_put_twice_has_two_entries(tmp_path):
    """A run that was trained twice is delivered twice: each entry has its own name."""
    outbox = Outbox(tmp_path)
    assert outbox.put(run_result()).name != outbox.put(run_result()).name


def test_removing_twice_is_no_fault(tmp_path):
    """An entry that another process removed is gone, which is all that is wanted."""
    outbox = Outbox(tmp_path)
    entry = outbox.put(run_result())
    outbox.remove(entry)
    outbox.remove(entry)
    assert outbox.entries() == []


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


def _make_foreign(path):
    path.write_text("not a zip file")


def _make_newer(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("result.json", '{"schema": 99}')


def _make_escaping(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("artifacts/../../outside", b"")


@pytest.mark.parametrize("spoil", [_truncate, _make_foreign, _make_newer, _make_escaping])
def test_sets_aside_what_it_cannot_read(tmp_path, spoil):
    """A half-written, foreign or later entry is renamed, kept, and not offered again."""
    outbox = Outbox(tmp_path)
    entry = outbox.put(run_result())
    spoil(entry)
    assert outbox.read(entry) is None
    assert [path.name for path in tmp_path.iterdir()] == [f"{entry.name}.rejected"]
    assert outbox.entries() == []
