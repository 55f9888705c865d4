"""MLflow, written and read, and the outbox that a finished run waits in until MLflow has it.

Importing this package imports no MLflow, which takes 1.5 s: `open_store` does it when it is called. What reads a
suite is in `tracking.reader`, which imports pandas.
"""

from __future__ import annotations

from mnist_bench.tracking.artifacts import fetch_model
from mnist_bench.tracking.location import Location, locate
from mnist_bench.tracking.outbox import Outbox
from mnist_bench.tracking.parents import Agenda
from mnist_bench.tracking.past import Past, read_past
from mnist_bench.tracking.recorder import Delivery, Recorder
from mnist_bench.tracking.store import Store, open_if_there, open_store

__all__ = [
    "Agenda",
    "Delivery",
    "Location",
    "Outbox",
    "Past",
    "Recorder",
    "Store",
    "fetch_model",
    "locate",
    "open_if_there",
    "open_store",
    "read_past",
]
