"""NumPy's archive of arrays, with the members that Keras gives it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench.data.checks import Array, Arrays, one_line
from mnist_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]

MEMBERS = ("x_train", "y_train", "x_test", "y_test")


def read(path: Path) -> Arrays:
    """The four arrays of an archive; its other members are left alone.

    Raises:
        DataError: the file is no such archive, is damaged, lacks a member, or holds Python objects.
    """
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: is no .npz archive: name one, or the folder of the four IDX files")
    try:
        # Opened here, because `np.load` leaves a file open that turns out to be damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [name for name in MEMBERS if name not in archive]
            members = [Array(f"{path} ({name})", np.asarray(archive[name])) for name in MEMBERS if name in archive]
    except Exception as fault:  # hostile bytes make zipfile and NumPy raise nearly anything
        raise DataError(f"{path}: can't be read ({one_line(fault)}): get it again, or write it anew") from fault
    if missing:
        raise DataError(
            f"{path}: lacks the member {missing[0]} of {', '.join(MEMBERS)}: write it anew with numpy.savez"
        )
    return Arrays(*members)
