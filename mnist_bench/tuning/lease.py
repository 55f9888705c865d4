"""Whose a running trial is, so that none stays RUNNING once its search was killed.

Optuna's own heartbeat is for `Study.optimize`; here the driver asks and tells. So each trial carries the process that
trains it and when that was last alive.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from optuna.trial import TrialState

from mnist_bench.tracking.holders import STALE_SECONDS, is_gone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna import Study
    from optuna.trial import FrozenTrial

__all__ = ["LEASE", "is_stale", "stale"]

LEASE = "lease"  # the trial's user attribute, a `holder`


def stale(study: Study) -> list[FrozenTrial]:
    """The running trials of searches that are no more."""
    return [trial for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if is_stale(trial)]


def is_stale(trial: FrozenTrial) -> bool:
    """Whether nobody trains it any more: its process is known to be dead, or hasn't been heard of for too long."""
    held: Mapping[str, Any] | None = trial.user_attrs.get(LEASE)
    if held is None:  # begun by somebody else, in a way of his own
        began = trial.datetime_start
        return began is None or time.time() - began.timestamp() > STALE_SECONDS
    return is_gone(held)
