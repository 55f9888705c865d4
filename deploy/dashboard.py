"""Optuna's dashboard, with its own arguments, on a database in which there may be no study yet: it makes no tables."""

import os
import sys

from optuna.storages import RDBStorage

RDBStorage(sys.argv[-1]).engine.dispose()
os.execvp("optuna-dashboard", ["optuna-dashboard", *sys.argv[1:]])  # noqa: S606, S607 - the image's own, no shell
