"""A folder in which each finished run waits, as one file, until MLflow has all of it.

Several processes may share it. Who writes or delivers an entry holds a lock on its file, which the system takes back
from a process that dies; so no entry is delivered by two at once, and none is held for ever.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import uuid
import weakref
import zipfile
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mnist_bench import __version__
from mnist_bench.specs import RunResult, RunSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Outbox", "UnreadableError", "as_plain", "from_plain"]

_SCHEMA = 1
_RESULT = "result.json"
_MODEL = "model.keras"
_ARTIFACTS = "artifacts/"
_ASIDE = ".rejected"
_ENTRY = re.compile(r"\d+-[0-9a-f]{16}-[0-9a-f]{8}\.zip")


class UnreadableError(Exception):
    """An entry that this version can't deliver, and why. It is a fault of the file, and no user's."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")


class Outbox:
    """Finished runs in `folder`, which is made when the first is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[Path, BinaryIO] = {}  # the locked files of the entries that this process delivers
        weakref.finalize(self, _close, self._held)

    def path(self, result: RunResult) -> Path:
        """Where a result is to wait: in the order of their start; the end makes the name, and the delivery, unique."""
        return self.folder / f"{result.started_at:.0f}-{result.spec.key}-{uuid.uuid4().hex[:8]}.zip"

    def put(self, result: RunResult, path: Path | None = None) -> Path:
        """Write `result` to a new file, whole or not at all, wait until the disk has it, and hold it.

        Raises:
            OSError: the disk doesn't take it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = path or self.path(result)
        unfinished = path.with_name(f".{path.name}")
        file = unfinished.open("wb")
        try:
            _lock(file)
            file.write(_pack(result))
            file.flush()
            os.fsync(file.fileno())
            unfinished.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):  # closing writes what is buffered, which a full disk refuses again
                file.close()
            unfinished.unlink(missing_ok=True)
            raise
        self._held[path] = file
        _sync_folder(self.folder)
        return path

    def entries(self) -> list[Path]:
        """All that waits, oldest first; not what was set aside, nor files that are still being written."""
        return [path for path in self._files() if not path.name.startswith(".") and path.suffix != _ASIDE]

    def half_written(self) -> list[Path]:
        """The files that are being written, or were when their process was killed."""
        return [path for path in self._files() if path.name.startswith(".") and path.suffix == ".zip"]

    def set_aside(self) -> list[Path]:
        """The files that can't be read."""
        return [path for path in self._files() if path.suffix == _ASIDE]

    def hold(self, path: Path) -> bool:
        """Keep others from an entry; False where another process has it, or has delivered it."""
        if path in self._held:
            return True
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        if not _lock(file) or not path.exists():  # delivered between the opening and the locking
            file.close()
            return False
        self._held[path] = file
        return True

    def release(self, path: Path) -> None:
        """Let others have an entry."""
        if path in self._held:
            self._held.pop(path).close()

    def read(self, path: Path) -> RunResult:
        """The run in `path`.

        Raises:
            UnreadableError: it can't be read, and why. Unless a later version wrote it, the file is set aside.
            FileNotFoundError: another process has delivered it.
        """
        if not _ENTRY.fullmatch(path.name):  # it becomes part of a question to MLflow
            raise self.reject(path, "not a recorded run's name")
        try:
            return _unpack(path)
        except (FileNotFoundError, UnreadableError):
            raise
        except Exception as fault:  # a foreign file may fail in any way, and none of them is this run's fault
            raise self.reject(path, f"not a recorded run ({type(fault).__name__})") from fault

    def reject(self, path: Path, why: str) -> UnreadableError:
        """Set a file aside, as `*.rejected`; the error that says so."""
        aside = path.with_name(path.name.removeprefix(".") + _ASIDE)
        path.rename(aside)
        self.release(path)
        return UnreadableError(path, f"{why}; set aside as {aside.name}")

    def remove(self, path: Path) -> None:
        """Forget an entry that has been delivered."""
        path.unlink(missing_ok=True)
        self.release(path)

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_file()) if self.folder.is_dir() else []


def as_plain(result: RunResult) -> dict[str, Any]:
    """A result as plain JSON values, without its files."""
    # Fields by name, so that a new field of RunResult is packed without a change here.
    described = {f.name: getattr(result, f.name) for f in fields(result) if f.name not in {"artifacts", "model"}}
    described["spec"] = result.spec.model_dump(mode="json")
    described["history"] = [_plain(epoch) for epoch in result.history]
    described["metrics"] = _plain(result.metrics)
    described["environment"] = dict(result.environment)
    described["confusion"] = None if result.confusion is None else result.confusion.tolist()
    return described


def from_plain(described: Mapping[str, Any], **files: Any) -> RunResult:
    """The result that `as_plain` described, with its files: the arguments `artifacts` and `model`."""
    changed = {
        "spec": RunSpec.model_validate(described["spec"]),
        "history": tuple(described["history"]),
        "confusion": None if described["confusion"] is None else np.array(described["confusion"], dtype=np.int64),
    }
    return RunResult(**{**described, **changed}, **files)


def _pack(result: RunResult) -> bytes:
    buffer = io.BytesIO()
    record = {"schema": _SCHEMA, "version": __version__, "result": as_plain(result)}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_RESULT, json.dumps(record))
        for name, content in result.artifacts.items():
            archive.writestr(_ARTIFACTS + name, content)
        if result.model is not None:
            archive.writestr(_MODEL, result.model)
    return buffer.getvalue()


def _plain(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}  # NumPy's float32 is no JSON number


def _unpack(path: Path) -> RunResult:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    record: dict[str, Any] = json.loads(content[_RESULT])
    if record["schema"] > _SCHEMA:
        writer = f"mnist-bench {record.get('version', 'of a later version')}"
        raise UnreadableError(path, f"written by {writer}, which is newer than this {__version__}: upgrade")
    return from_plain(record["result"], artifacts=dict(_artifacts(content)), model=content.get(_MODEL))


def _artifacts(content: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, data in content.items():
        if name.startswith(_ARTIFACTS):
            path = PurePosixPath(name.removeprefix(_ARTIFACTS))
            if path.is_absolute() or ".." in path.parts:  # it would be written outside the run's own folder
                raise ValueError(f"artifact {name!r} leaves its folder")
            yield str(path), data


def _close(held: dict[Path, BinaryIO]) -> None:
    for file in held.values():
        file.close()


def _lock(file: BinaryIO) -> bool:
    """Lock a file for as long as it is open; False where another has it."""
    import fcntl  # noqa: PLC0415 - absent on Windows, where readers still work

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can sync a folder."""
    with contextlib.suppress(PermissionError):  # Windows can't
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
