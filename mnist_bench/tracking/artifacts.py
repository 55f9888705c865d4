"""A run's files, and the rule by which a variant's best model is kept."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bench.errors import StoreError
from mnist_bench.tracking.location import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow.store.artifact.artifact_repo import ArtifactRepository

    from mnist_bench.specs import RunResult
    from mnist_bench.tracking.store import Store

__all__ = ["MODEL", "attach", "delete_model", "fetch", "fetch_model", "selection_score", "upload"]

MODEL = "model.keras"


def upload(store: Store, artifact_uri: str, content: Mapping[str, bytes]) -> None:
    """Write files to a run's artifacts, over those of the same name."""
    repository = _repository(store, artifact_uri)
    here = getattr(repository, "artifact_dir", None)  # of a repository that is a folder of this machine
    if here:
        _write(Path(here), content)
        return
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), content)
        repository.log_artifacts(folder)  # type: ignore[no-untyped-call]


def _write(folder: Path, content: Mapping[str, bytes]) -> None:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def attach(store: Store, run_id: str, content: Mapping[str, bytes]) -> None:
    """Write files to the artifacts of a run that is there, over those of the same name.

    Raises:
        StoreError: there is no such run, or its artifacts can't be written.
    """
    with store.answering():
        artifact_uri = store.client.get_run(run_id).info.artifact_uri
    try:
        upload(store, artifact_uri, content)
    except Exception as fault:  # each kind of store has its own
        raise StoreError(f"nothing can be added to the files of run {run_id}: {reason(fault)}") from fault


def fetch(store: Store, artifact_uri: str, name: str) -> bytes:
    """A file of a run's artifacts. Each kind of store has its own exceptions for one that isn't there."""
    with tempfile.TemporaryDirectory() as folder:
        path = _repository(store, artifact_uri).download_artifacts(name, folder)  # type: ignore[no-untyped-call]
        return Path(path).read_bytes()


def fetch_model(store: Store, run_id: str) -> bytes | None:
    """The `.keras` file that a run kept, or None.

    Raises:
        StoreError: there is no such run, or the store doesn't answer.
    """
    with store.answering():
        artifact_uri = store.client.get_run(run_id).info.artifact_uri
        if MODEL not in {file.path for file in _repository(store, artifact_uri).list_artifacts()}:
            return None
        return fetch(store, artifact_uri, MODEL)


def delete_model(store: Store, artifact_uri: str) -> None:
    """Delete a run's model, which another has surpassed. A missing one is no fault."""
    _repository(store, artifact_uri).delete_artifacts(MODEL)  # type: ignore[no-untyped-call]


def selection_score(result: RunResult) -> list[float]:
    """What ranks the finished runs of a variant, higher first: never a test figure.

    The validation accuracy of the epoch whose weights were kept, and between equal ones the lower validation loss;
    where nothing is held out, the lower training loss. NaN ranks last.
    """
    kept = result.kept
    score = [kept["val_accuracy"], -kept["val_loss"]] if "val_accuracy" in kept else [-kept["train_loss"]]
    return [-math.inf if math.isnan(figure) else figure for figure in score]


def _repository(store: Store, artifact_uri: str) -> ArtifactRepository:
    # With the run's own address: the client's way to it reads the run again, for each call.
    from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415 - imported with the store
        get_artifact_repository,
    )

    return get_artifact_repository(artifact_uri, tracking_uri=store.location.uri)
