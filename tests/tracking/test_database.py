"""MLflow's database, written and read without MLflow: held to what MLflow's client writes and reads."""

from __future__ import annotations

import math
from itertools import count

import pandas as pd
import pytest
import sqlalchemy
from made_up import run_spec
from tracking.recordings import STARTED_AT, agenda, failed_result, new_store, record, run_result, through_mlflow

from mnist_bench.tracking import Outbox, Recorder, open_store, read_past
from mnist_bench.tracking import database as module
from mnist_bench.tracking.reader import read_suite

SPECS = [
    run_spec(seed=seed, variant=name, options={"name": name}) for seed in range(2) for name in ("baseline", "wide")
]
RESULTS = [
    run_result(SPECS[0]),
    failed_result(SPECS[1], "earlier"),
    failed_result(SPECS[1], "later", started_at=STARTED_AT + 10),
    run_result(SPECS[2], score=0.95, metrics={"parameters": 1.0, "test_accuracy": 0.5, "odd": math.inf}),
    run_result(SPECS[3], score=0.8, history=({"train_loss": math.nan}, {"train_loss": 0.1}), started_at=STARTED_AT + 1),
]
TABLES = ("runs", "tags", "params", "metrics", "latest_metrics", "datasets", "inputs", "input_tags")
SELECT = "SELECT * FROM "
_numbers = count()


@pytest.fixture(scope="session")
def migrated(postgresql):
    """The name of a PostgreSQL database with MLflow's tables."""
    open_store(postgresql("migrated"), create=True)
    return "migrated"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def new(request, tmp_path, tmp_path_factory, monkeypatch):
    """Makes empty stores of one kind."""
    monkeypatch.chdir(tmp_path)

    def make():
        number = next(_numbers)
        if request.param == "sqlite":
            (tmp_path / str(number)).mkdir()
            return new_store(tmp_path_factory, tmp_path / str(number))
        migrated = request.getfixturevalue("migrated")
        return open_store(request.getfixturevalue("postgresql")(f"store_{number}", migrated))

    return make


def rows(store):
    """What the database holds of the runs, with a name in place of each identity and of each store's folder."""
    engine = sqlalchemy.create_engine(store.location.uri)
    with engine.connect() as connection:
        held = {name: connection.execute(sqlalchemy.text(SELECT + name)).mappings().all() for name in TABLES}
    engine.dispose()
    names = {run["run_uuid"]: f"{run['name']} {run['status']} {run['start_time'] % 100_000}" for run in held["runs"]}
    names |= {row["dataset_uuid"]: "the dataset" for row in held["datasets"]}
    names |= {row["input_uuid"]: f"input of {names[row['destination_id']]}" for row in held["inputs"]}
    names |= {tag["value"]: "a moment" for tag in held["tags"] if tag["key"] in {"delivery", "planned_at"}}
    names[store.location.folder.as_uri()] = "here"

    def named(value):
        for identity, name in names.items():
            value = value.replace(identity, name) if isinstance(value, str) else value
        return value

    ours = {name: [{key: named(value) for key, value in row.items()} for row in table] for name, table in held.items()}
    for run in ours["runs"]:
        if run["start_time"] > 1000 * STARTED_AT + 60_000:  # a parent's: it is made now
            run["start_time"] = run["end_time"] = "now"
    return {name: sorted(map(repr, table)) for name, table in ours.items()}


def test_a_run_is_written_as_mlflow_writes_it(new, monkeypatch):
    """Table by table the same, in one transaction as in a dozen calls: NaN, infinity and failures included."""
    monkeypatch.setattr("mnist_bench.tracking.parents.time.time", lambda: STARTED_AT + 100)
    by_hand, by_mlflow = new(), through_mlflow(new())
    for store in (by_hand, by_mlflow):
        record(store, SPECS, RESULTS)
    assert rows(by_hand) == rows(by_mlflow)


def test_a_suite_is_read_as_mlflow_reads_it(new):
    """Variants, runs and every metric, and what was finished before."""
    store = new()
    record(store, SPECS, RESULTS)
    other = through_mlflow(store)
    ours, theirs = read_suite(store, "made_up"), read_suite(other, "made_up")
    order = ["variant", "seed"]
    pd.testing.assert_frame_equal(ours.variants, theirs.variants)
    pd.testing.assert_frame_equal(
        ours.runs.sort_values(order, ignore_index=True).sort_index(axis=1),
        theirs.runs.sort_values(order, ignore_index=True).sort_index(axis=1),
        check_dtype=False,
    )
    assert ours.runs["cause"].dropna().to_list() == ["later"]
    pasts = [read_past(each, "made_up", "made-up") for each in (store, other)]
    assert pasts[0].finished() == pasts[1].finished()
    assert pasts[0].epoch_seconds("baseline") == pasts[1].epoch_seconds("baseline") == 1.5


def test_only_the_metrics_that_are_asked_for_are_read(new):
    """The others have no column; nor has one that no run has recorded."""
    store = new()
    record(store, SPECS, RESULTS)
    runs = read_suite(store, "made_up", metrics=["test_accuracy", "unheard_of"]).runs
    assert "test_accuracy" in runs
    assert not {"test_loss", "unheard_of"} & {*runs}


def test_what_was_cut_short_is_written_once(new, monkeypatch):
    """Killed before its transaction, a recording leaves no run; the next delivery makes one, others change nothing."""
    store = new()
    outbox = Outbox(store.location.outbox)
    recorder = Recorder(store, outbox)
    recorder.prepare(agenda(SPECS))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            recorder.record(RESULTS[0])
    assert read_suite(store, "made_up").runs.empty
    (entry,) = outbox.entries()
    content = entry.read_bytes()
    assert Recorder(store, outbox).deliver().delivered == 1
    once = rows(store)
    for _ in range(2):
        entry.write_bytes(content)
        assert Recorder(store, outbox).deliver().delivered == 1
        assert rows(store) == once
    assert len(read_suite(store, "made_up").runs) == 1


def test_another_schema_is_left_to_mlflow(new, monkeypatch, caplog):
    """It is read all the same, slower, and one line says so."""
    store = new()
    record(store, SPECS, RESULTS)
    monkeypatch.setattr(module, "SCHEMA", "another")
    store = open_store(store.location.uri)
    assert store.database is None
    assert len(read_suite(store, "made_up").runs) == 4
    assert "schema dc11669786a5, not another: it is read by MLflow's client" in caplog.text
