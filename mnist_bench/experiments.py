"""The folder `experiments/` of suites and claims, and how its TOML files are read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_bench.errors import MnistBenchError

__all__ = ["CLAIMS", "FOLDER", "read_toml"]

# Beside the package in a checkout, within it once installed.
_PACKAGE = Path(__file__).parent
FOLDER = next(folder for folder in (_PACKAGE / "_experiments", _PACKAGE.parent / "experiments") if folder.is_dir())
CLAIMS = FOLDER / "claims.toml"  # the one file in it that is no suite


def read_toml(path: Path, error: type[MnistBenchError]) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        error: it can't be read, or is no TOML, in one line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise error(f"{path}: can't be read: {failure.strerror}") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise error(f"{path}: not a TOML file: {failure}") from failure
