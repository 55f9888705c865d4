"""Datasets from the network, into Keras' cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mnist_bench.data.checks import one_line
from mnist_bench.errors import DataError

__all__ = ["cache", "fetch"]

LIMIT_SECONDS = 300


def cache() -> Path:
    """The folder in which Keras keeps datasets."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".keras") / "datasets"


def fetch(name: str) -> None:
    """Let Keras download the dataset `name`, and put its files into the cache.

    Keras works in a process and a folder of its own: whoever calls this stays free of TensorFlow, and the cache gets
    whole files only, however the download ends.

    Raises:
        DataError: the network or the cache can't be had, or the download takes longer than `LIMIT_SECONDS`; it says
            why, and leaves the mend to the caller.
    """
    target = cache()
    try:
        target.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetch-", dir=target) as home:
            _download(name, Path(home))
            for path in [path for path in (Path(home) / "datasets").rglob("*") if path.is_file()]:
                place = target / path.relative_to(Path(home) / "datasets")
                place.parent.mkdir(exist_ok=True)
                path.replace(place)
    except OSError as fault:
        raise DataError(
            f"{target}: can't be written ({one_line(fault)}), unless KERAS_HOME names another place"
        ) from fault


def _download(name: str, home: Path) -> None:
    environment = os.environ | {"KERAS_HOME": str(home), "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "mnist_bench.data.download", name]
    try:
        subprocess.run(  # noqa: S603  our own module, and a name out of our own list
            command,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as fault:
        raise DataError(f"the download of {name} took longer than {LIMIT_SECONDS} seconds") from fault
    except subprocess.CalledProcessError as fault:
        reason = (fault.stderr.strip().splitlines() or [f"exit status {fault.returncode}"])[-1]
        raise DataError(f"the download of {name} failed ({reason})") from fault
