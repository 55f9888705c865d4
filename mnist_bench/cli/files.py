"""Files that a command writes where the user says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mnist_bench.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["write_files"]


def write_files(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made if need be, over those of the same name; print their paths.

    Raises:
        OutputError: they can't be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in content.items():
            (folder / name).write_bytes(data)
            click.echo(folder / name)
    except OSError as fault:
        raise OutputError(
            f"{fault.filename or folder}: can't be written ({fault.strerror}): name another by -o"
        ) from fault
