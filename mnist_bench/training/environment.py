"""Where a run is trained: what its bits and seconds depend on, beside its spec. Imports no TensorFlow."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from mnist_bench import __version__, processor

__all__ = ["ENVIRONMENT", "environment"]

# A worker's, set before TensorFlow is imported. One thread a process: two processes of one thread train twice as fast
# as one of two, and bits depend on the number of threads.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # TensorFlow turns it on for some processors alone; convolutions gain on all
    # Activations that are freed stay the process': given back, they are faulted in again at every step. (Dask's own
    # choice, 64 KiB, costs some 60,000 page faults an epoch of the ablations' CNN.)
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "agg",
}


def environment() -> dict[str, str]:
    """Processor, threads and versions, for the run's tags."""
    versions = [f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy")]
    return {
        "processor": processor.name(),
        "threads": os.environ.get("TF_NUM_INTRAOP_THREADS", "as TensorFlow chooses"),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as TensorFlow chooses"),
        "versions": ", ".join([f"mnist-bench {__version__}", f"python {platform.python_version()}", *versions]),
    }
