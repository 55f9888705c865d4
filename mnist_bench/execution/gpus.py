"""Which GPU a worker trains on, where there are any."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["gpu_environment"]

_DRIVER = Path("/proc/driver/nvidia/gpus")  # NVIDIA's kernel module has a folder for each GPU there


def gpu_environment(worker: object) -> dict[str, str]:
    """What TensorFlow is to be told by a worker's environment, before it looks for GPUs; nothing where there is none.

    Workers of this machine, whose names are numbers, take the GPUs in turn. Whoever starts workers elsewhere says by
    CUDA_VISIBLE_DEVICES which GPU each has.

    Args:
        worker: its name in Dask.
    """
    gpus = len(list(_DRIVER.iterdir())) if _DRIVER.is_dir() else 0
    if not gpus:
        return {}
    growing = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}  # the first of several on one GPU would take all its memory
    if "CUDA_VISIBLE_DEVICES" in os.environ or not isinstance(worker, int):
        return growing
    return growing | {"CUDA_VISIBLE_DEVICES": str(worker % gpus)}
