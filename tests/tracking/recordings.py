"""Made-up results of runs, and stores to record them in."""

from __future__ import annotations

import shutil

import numpy as np
from made_up import run_spec

from mnist_bench.specs import RunResult
from mnist_bench.tracking import Agenda, Outbox, Recorder, Store, open_store

STARTED_AT = 1_700_000_000.25  # seconds since 1970


def run_result(spec=None, *, score=0.9, **changes):
    """A finished run of two epochs, whose last validation accuracy and test accuracy are `score`."""
    epochs = (
        {"train_loss": 0.9, "val_loss": 0.8, "val_accuracy": 0.5, "learning_rate": 1e-3, "epoch_seconds": 2.0},
        {"train_loss": 0.4, "val_loss": 0.3, "val_accuracy": score, "learning_rate": 1e-3, "epoch_seconds": 1.5},
    )
    fields = {
        "spec": spec or run_spec(),
        "started_at": STARTED_AT,
        "seconds": 5.0,
        "history": epochs,
        "metrics": {"parameters": 1000.0, "test_accuracy": score, "test_loss": 0.25},
        "environment": {"processor": "made up", "threads": "1"},
        "confusion": np.array([[9, 1], [0, 10]]),
        "artifacts": {"curves.png": b"\x89PNG curves", "predictions.npz": b"PK predictions"},
        "model": b"a keras file",
    }
    return RunResult(**fields | changes)


def failed_result(spec, cause="the loss was nan in epoch 1", **changes):
    """A run that diverged in its first epoch."""
    nothing = {"metrics": {"parameters": 1000.0}, "confusion": None, "artifacts": {}, "model": None}
    history = ({"train_loss": float("nan"), "epoch_seconds": 2.0},)
    return run_result(spec, **nothing | {"cause": cause, "history": history} | changes)


def twice(create):
    """What MLflow's client does where an answer is lost: it asks for the same run again, and has the second."""
    return lambda *args, **kwargs: [create(*args, **kwargs) for _ in range(2)][1]


def agenda(runs, edition="first", members=None, offset=0):
    """A plan of `runs`."""
    members = members or {run.variant: run.variant_key for run in runs}
    return Agenda(
        runs=runs,
        members=members,
        edition=edition,
        baseline="baseline",
        question="Which helps?",
        questions={"wide": "Does it?"},
        seed_offsets=dict.fromkeys(members, offset),
        smallest_effect_pp=0.1,
        looks=(len({run.seed for run in runs}),),
    )


def record(store, runs, results, edition="first", members=None):
    """Plan `runs`, record `results`, and end the parents."""
    with Recorder(store, Outbox(store.location.outbox)) as recorder:
        recorder.prepare(agenda(runs, edition, members))
        for result in results:
            recorder.record(result)


def new_store(factory, folder):
    """An empty store in `folder`: a copy of one that was migrated once, which takes seconds."""
    migrated = factory.getbasetemp() / "migrated" / "mlflow.db"
    if not migrated.exists():
        open_store(f"sqlite:///{migrated}", create=True)
    database = folder / "mlruns" / "mlflow.db"
    database.parent.mkdir()
    shutil.copy(migrated, database)
    return open_store(f"sqlite:///{database}")


def through_mlflow(store):
    """The same store, as one that is only reached through MLflow's client: a server, or a schema that isn't known."""
    other = Store(store.location)
    vars(other)["database"] = None
    return other
