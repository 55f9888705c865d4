"""The version of what this package writes into a store: each experiment bears it, and what is newer is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mnist_bench import __version__
from mnist_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TAGS", "check"]

# Higher as soon as an older version would misread what is written. 1 is also what was written before it was noted;
# since 2 planned seeds are noted by stretches.
_SCHEMA = 2

TAGS = {"schema": str(_SCHEMA), "written_by": __version__}


class _Experiment(Protocol):
    """MLflow's, or one that was read from its database."""

    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> Mapping[str, str]: ...


def check(experiment: _Experiment) -> None:
    """Refuse an experiment that a newer version wrote.

    Raises:
        StoreError: it names both versions.
    """
    noted = experiment.tags.get("schema", "1")
    if not noted.isdecimal() or int(noted) > _SCHEMA:
        writer = experiment.tags.get("written_by", "of another version")
        raise StoreError(
            f"experiment {experiment.name} was written by mnist-bench {writer} (schema {noted}), and this is "
            f"{__version__} (schema {_SCHEMA}): upgrade, or name another store by --tracking-uri"
        )
