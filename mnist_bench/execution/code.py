"""Which code trains: versions, and digests of the sources that decide a result."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

from mnist_bench import architectures
from mnist_bench.specs import Code

__all__ = ["code_of"]

_PACKAGE = Path(__file__).parent.parent


def code_of(architecture: str) -> Code:
    """The code that trains `architecture`, read from the installed sources."""
    return Code(
        tensorflow=_version("tensorflow"),
        keras=_version("keras"),
        numpy=_version("numpy"),
        data=_digest(_PACKAGE / "data"),
        training=_digest(_PACKAGE / "training"),
        architecture=_digest(_PACKAGE / "architectures" / "registry.py", architectures.get(architecture).source),
    )


_version = functools.cache(version)  # it reads the package's files each time, which would be most of planning


@functools.cache
def _digest(*sources: Path) -> str:
    """Of files, and of all Python files in folders: their names and bytes, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            text = path.read_bytes()
            digest.update(f"{path.name} {len(text)} ".encode())
            digest.update(text)
    return digest.hexdigest()[:16]
