"""Where a run was trained: what else, beside its spec, its bits and seconds depend on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from mnist_bench import __version__, processor

__all__ = ["environment"]

THREADS = "TF_NUM_INTRAOP_THREADS"


def environment() -> dict[str, str]:
    """Processor, threads and versions, for the run's tags."""
    packages = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
    return {
        "processor": processor.name(),
        "threads": os.environ.get(THREADS, "all"),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as TensorFlow chooses"),
        "python": platform.python_version(),
        "mnist_bench": __version__,
        **packages,
    }
