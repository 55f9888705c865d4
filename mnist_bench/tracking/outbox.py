"""A folder in which each finished run waits, as one file, until MLflow has all of it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import uuid
import zipfile
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_bench.specs import RunResult, RunSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Outbox", "as_plain", "from_plain"]

_SCHEMA = 1
_RESULT = "result.json"
_MODEL = "model.keras"
_ARTIFACTS = "artifacts/"


class Outbox:
    """Finished runs in `folder`, which is made when the first is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, result: RunResult) -> Path:
        """Write `result` to a new file, whole or not at all, and wait until the disk has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # In the order of their start; the end makes the name unique, and with it the delivery.
        path = self.folder / f"{result.started_at:.0f}-{result.spec.key}-{uuid.uuid4().hex[:8]}.zip"
        unfinished = path.with_name(f".{path.name}")
        with unfinished.open("wb") as file:
            file.write(_pack(result))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync_folder(self.folder)
        return path

    def entries(self) -> list[Path]:
        """All that waits, oldest first; not what was set aside, nor files that are still being written."""
        if not self.folder.is_dir():
            return []
        return sorted(
            path
            for path in self.folder.iterdir()
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".rejected"
        )

    def read(self, path: Path) -> RunResult | None:
        """The run in `path`; None if it can't be read, and the file is then set aside as `*.rejected`."""
        try:
            return _unpack(path)
        except Exception:  # noqa: BLE001 - a foreign file may fail in any way, and none of them is this run's fault
            with contextlib.suppress(FileNotFoundError):  # another process has delivered it meanwhile
                path.rename(path.with_name(f"{path.name}.rejected"))
            return None

    def remove(self, path: Path) -> None:
        """Forget an entry that has been delivered."""
        path.unlink(missing_ok=True)


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
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_RESULT, json.dumps({"schema": _SCHEMA, "result": as_plain(result)}))
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
    if record["schema"] != _SCHEMA:
        raise ValueError(f"schema {record['schema']}, not {_SCHEMA}")
    return from_plain(record["result"], artifacts=dict(_artifacts(content)), model=content.get(_MODEL))


def _artifacts(content: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, data in content.items():
        if name.startswith(_ARTIFACTS):
            path = PurePosixPath(name.removeprefix(_ARTIFACTS))
            if path.is_absolute() or ".." in path.parts:  # it would be written outside the run's own folder
                raise ValueError(f"artifact {name!r} leaves its folder")
            yield str(path), data


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can sync a folder."""
    with contextlib.suppress(PermissionError):  # Windows can't
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
