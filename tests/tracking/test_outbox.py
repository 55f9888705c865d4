"""The outbox: whole files or none."""

from __future__ import annotations

import errno
import json
import pickle
import zipfile
from dataclasses import fields

import numpy as np
import pytest
from made_up import run_spec
from tracking.recordings import failed_result, run_result

from mnist_bench.tracking import Outbox
from mnist_bench.tracking.outbox import UnreadableError


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


def _make_wayward(path):
    """Its suite's name leads out of the store."""
    with zipfile.ZipFile(path) as archive:
        record = json.loads(archive.read("result.json"))
    record["result"]["spec"]["suite"] = "../../outside"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("result.json", json.dumps(record))


def _make_pickle(path):
    path.write_bytes(pickle.dumps(run_result()))


def _make_escaping(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("artifacts/../../outside", b"")


@pytest.mark.parametrize("spoil", [_truncate, _make_foreign, _make_pickle, _make_wayward, _make_escaping])
def test_sets_aside_what_it_cannot_read(tmp_path, spoil):
    """A half-written or foreign entry is renamed, kept, and not offered again; the error says so in a line."""
    outbox = Outbox(tmp_path)
    entry = outbox.put(run_result())
    spoil(entry)
    with pytest.raises(UnreadableError, match=rf"not a recorded run \(\w+\); set aside as {entry.name}.rejected$"):
        outbox.read(entry)
    assert outbox.set_aside() == [tmp_path / f"{entry.name}.rejected"]
    assert outbox.entries() == []


def test_a_newer_entry_is_left_to_the_newer_version(tmp_path):
    """What a later version wrote is refused by that version's name, and stays where it is."""
    outbox = Outbox(tmp_path)
    entry = outbox.put(run_result())
    with zipfile.ZipFile(entry, "w") as archive:
        archive.writestr("result.json", '{"schema": 99, "version": "9.9"}')
    with pytest.raises(UnreadableError, match=r"written by mnist-bench 9\.9, which is newer than this"):
        outbox.read(entry)
    assert outbox.entries() == [entry]


def test_an_entry_is_one_process_to_deliver(tmp_path):
    """Who put an entry holds it; another may have it once it is released, and not once it is delivered."""
    mine, other = Outbox(tmp_path), Outbox(tmp_path)
    entry = mine.put(run_result())
    assert not other.hold(entry)
    mine.release(entry)
    assert other.hold(entry)
    assert not mine.hold(entry)
    other.remove(entry)
    assert not mine.hold(entry)


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    """An entry that can't be written whole isn't there at all."""

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    outbox = Outbox(tmp_path)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        outbox.put(run_result())
    assert list(tmp_path.iterdir()) == []
