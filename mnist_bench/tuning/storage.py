"""Where studies are stored: begun there once, found again, or refused; and what is said where nothing answers."""

from __future__ import annotations

import contextlib
import time
import uuid
import warnings
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DatabaseError, IntegrityError, SQLAlchemyError

from mnist_bench.errors import StudyError
from mnist_bench.tracking.location import masked, reason
from mnist_bench.tuning.study import IDENTITY, SETTINGS
from mnist_bench.values import flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optuna import Study

    from mnist_bench.tuning.study import Subject

__all__ = ["open_study", "storage_answering"]

# How long a study may stand there before whoever makes it, perhaps at this moment, has noted what it searches for.
_NOTING_SECONDS = 5.0


def open_study(url: str, subject: Subject, pruner: optuna.pruners.BasePruner) -> Study:
    """The study of that name in the storage at `url`: a new one, or the one that is there.

    Raises:
        StudyError: the storage can't be reached, or the study is there and searches for something else.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        storage = _storage(url)
        try:
            study = optuna.create_study(
                storage=storage, study_name=subject.study, directions=subject.directions, pruner=pruner
            )
        except optuna.exceptions.DuplicatedStudyError:
            study = optuna.load_study(storage=storage, study_name=subject.study, pruner=pruner)
            _agree(study, subject)
        else:
            _note(study, subject)
    except StudyError:
        raise
    # Each database driver has its own exceptions, and a missing driver is an ImportError.
    except Exception as failure:
        raise StudyError(f"study storage {masked(url)}: {_why(failure)}: name another by --storage") from failure
    return study


def _storage(url: str) -> optuna.storages.BaseStorage:
    """Optuna's storage at `url`; a new database gets its tables.

    Of two that open a new one at the same moment both make them, which only the first can.
    """
    for pause in (0.5, 1.0):
        try:
            return optuna.storages.get_storage(url)
        except DatabaseError as failure:
            if not isinstance(failure, IntegrityError) and "already exists" not in str(failure):
                raise
        time.sleep(pause)
    return optuna.storages.get_storage(url)


@contextlib.contextmanager
def storage_answering() -> Iterator[None]:
    """Turn what a storage that is open raises into a line.

    Raises:
        StudyError: it doesn't answer.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as failure:
        raise StudyError(f"study storage: {_why(failure)}: once it answers, the same command goes on") from failure


def _why(failure: Exception) -> str:
    """What the database says, where Optuna only supposes that what was written is at fault."""
    cause = failure.__cause__ if isinstance(failure, StorageInternalError) else None
    return reason(cause if isinstance(cause, Exception) else failure)


def _note(study: Study, subject: Subject) -> None:
    """Note on a new study what it searches for, and last of all that all is noted."""
    if len(subject.objectives) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([*subject.objectives])
    study.set_user_attr(IDENTITY, uuid.uuid4().hex)
    study.set_user_attr(SETTINGS, subject.settings())


def _agree(study: Study, subject: Subject) -> None:
    """Refuse a study that searches for something else."""
    then, now = dict(flat(_noted(study, subject))), dict(flat(subject.settings()))
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            raise StudyError(
                f"study {subject.study} was begun with {name} = {then.get(name)}, not {now.get(name)}: "
                "name another by --study"
            )


def _noted(study: Study, subject: Subject) -> Mapping[str, Any]:
    """What it was noted that a study searches for. Where whoever made it was killed before that, it is noted now."""
    deadline = time.monotonic() + _NOTING_SECONDS
    while True:
        trials = study.get_trials(deepcopy=False)  # first: a study has its notes before it has trials
        noted: Mapping[str, Any] | None = study.user_attrs.get(SETTINGS)
        if noted is not None:
            return noted
        if trials or [direction.name.lower() for direction in study.directions] != subject.directions:
            raise StudyError(f"study {subject.study} was not made by mnist-bench: name another by --study")
        if time.monotonic() > deadline:
            _note(study, subject)
        time.sleep(0.1)  # after noting too: of two that take a study over, both read what the later one noted
