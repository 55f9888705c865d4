"""One tree of errors. Each message is one line: what is wrong, where, and how to mend it.

`exit_code` is what the command line exits with: 2 for what the user gave, 1 for runs that failed.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArchitectureError",
    "ClaimsError",
    "ComparisonError",
    "DataError",
    "ImageError",
    "MnistBenchError",
    "OutdatedError",
    "OutputError",
    "RunsFailedError",
    "SchedulerError",
    "SchedulerLostError",
    "SpaceError",
    "StoreError",
    "StudyError",
    "SuiteError",
    "UndeliveredError",
    "UnwellError",
    "nearest",
]


class MnistBenchError(Exception):
    """Anything that the user can mend."""

    exit_code: ClassVar[int] = 2


class DataError(MnistBenchError):
    """A dataset that can't be had, or whose arrays are not what they claim to be."""


class ArchitectureError(MnistBenchError):
    """An unknown architecture, a wrong option, or a model that can't be built for these images."""


class SuiteError(MnistBenchError):
    """A suite file that is missing or says something that it can't mean."""


class ClaimsError(MnistBenchError):
    """A claims file that is missing or says something that it can't mean."""


class ComparisonError(MnistBenchError):
    """A comparison that the recorded runs can't carry."""


class SpaceError(MnistBenchError):
    """A search space that is missing or says something that it can't mean."""


class StoreError(MnistBenchError):
    """A tracking store that can't be reached, or that holds nothing of what was asked for."""


class OutdatedError(StoreError):
    """A tracking database with an older schema than the installed MLflow's."""


class ImageError(MnistBenchError):
    """An image file that can't be read, or shows nothing."""


class OutputError(MnistBenchError):
    """A file or folder that can't be written."""


class StudyError(MnistBenchError):
    """A study that can't be opened, or that was begun as a search for something else."""


class SchedulerError(MnistBenchError):
    """A Dask scheduler that doesn't answer."""


class SchedulerLostError(SchedulerError):
    """A Dask scheduler that went away in the middle."""

    exit_code: ClassVar[int] = 1


class RunsFailedError(MnistBenchError):
    """The suite went through, but some of its runs failed."""

    exit_code: ClassVar[int] = 1


class UndeliveredError(MnistBenchError):
    """The suite went through, but some of its runs are not in MLflow yet."""

    exit_code: ClassVar[int] = 1


class UnwellError(MnistBenchError):
    """Something is wrong with the store or the machine."""

    exit_code: ClassVar[int] = 1


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown `word`: the nearest right name, or all that there are."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
