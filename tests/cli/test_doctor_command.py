"""`mnist-bench doctor` and `mnist-bench sync`, on stores that killed processes left."""

from __future__ import annotations

import contextlib
import sqlite3
import sys

import alembic.command
import pytest
import services
import sqlalchemy
from made_up import run_spec
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels import initial_models
from tracking.recordings import agenda, new_store, record, run_result

from mnist_bench import cli
from mnist_bench.cli import doctor
from mnist_bench.tracking import Outbox, Recorder, open_store
from mnist_bench.tracking.leases import Lease, claims
from mnist_bench.tracking.reader import read_suite

# Three migrations before MLflow 3.17's last. It lacks tables, and such a one MLflow's client would migrate unasked.
OLDER = "17e22815139b"
RECORDED = "experiments experiment_tags runs tags params metrics latest_metrics datasets inputs input_tags"


@pytest.fixture
def store(tmp_path_factory, tmp_path):
    """An empty store in the folder that the commands are given in."""
    return new_store(tmp_path_factory, tmp_path)


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Call `mnist-bench` in this process: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def caller(*arguments):
        monkeypatch.setattr(sys, "argv", ["mnist-bench", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code or 0, *capsys.readouterr()

    return caller


def examine(call, *arguments):
    """What `doctor` says of each area: its states, and all its lines."""
    code, output, errors = call("doctor", "--dataset", "mnist-5k", *arguments)
    states = {}
    for line in output.splitlines():
        states.setdefault(line.split()[1], []).append(line.split()[0])
    return code, states, output + errors


@pytest.fixture
def left_behind(store, monkeypatch):
    """A driver was killed: its parent RUNNING, its lease held, a run in the outbox, another half-written there."""
    outbox = Outbox(store.location.outbox)
    recorder = Recorder(store, outbox)
    spec = run_spec()
    recorder.prepare(agenda([spec]))
    experiment = recorder.experiment(spec)
    with monkeypatch.context() as patched:
        dead = {"host": "elsewhere", "pid": 1, "process_started": 0.0, "beat": 0.0}
        patched.setattr("mnist_bench.tracking.leases.holder", lambda: dead)
        Lease(store, experiment, [spec.variant_key])._claim()
    outbox.release(outbox.put(run_result(spec)))
    (outbox.folder / ".1-half.zip").write_bytes(b"PK")
    return experiment


def make_older(uri):
    """Give an empty database the older schema, by MLflow's own migrations."""
    engine = sqlalchemy.create_engine(uri)
    initial_models.Base.metadata.create_all(engine)
    config = utils._get_alembic_config("")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, OLDER)
    engine.dispose()


@pytest.fixture
def outdated(store):
    """The store's database, with a run in it, in the older schema."""
    record(store, [run_spec()], [run_result(score=0.75)])
    database = store.location.database
    newer = database.rename(database.with_name("newer.db"))
    make_older(store.location.uri)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("ATTACH ? AS newer", [str(newer)])
        for table in RECORDED.split():
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")  # noqa: S608
        connection.commit()
    newer.unlink()
    return database


def schema_of(database):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def states_of(store, experiment):
    return sorted(run.info.status for run in store.client.search_runs([experiment]))


def test_a_healthy_store_is_told_so(store, call):
    """Each area has a line, and the exit code is 0."""
    record(store, [run_spec()], [run_result()])
    code, states, said = examine(call)
    assert code == 0, said
    areas = ["store", "schema", "outbox", "leases", "runs", "data", "versions", "threads", "disk"]
    assert states == {area: ["ok"] for area in areas}


def test_what_a_killed_process_left_is_told_and_mended(store, call, left_behind):
    """Without --fix nothing changes and it exits with 1; with it all is put right, and the next look finds nothing."""
    before = states_of(store, left_behind)
    code, states, said = examine(call)
    assert (code, states["outbox"], states["leases"], states["runs"]) == (1, ["WRONG"], ["WRONG"], ["WRONG"])
    assert "mnist-bench: 3 wrong, of which --fix mends 3" in said
    assert states_of(store, left_behind) == before
    code, states, said = examine(call, "--fix")
    assert (code, states["outbox"], states["leases"], states["runs"]) == (0, ["mended"], ["mended"], ["mended"]), said
    assert states_of(store, left_behind) == ["FINISHED", "KILLED"]
    assert claims(store, left_behind) == []
    code, states, said = examine(call)
    assert (code, states["outbox"]) == (0, ["ok", "ok"])
    assert "1 files that can't be read were set aside" in said


def test_what_cannot_be_mended_is_told(store, call):
    """A newer version's experiment, a version that isn't the one asked for, too little memory and disk."""
    record(store, [run_spec()], [run_result()])
    experiment = store.client.get_experiment_by_name("made_up/made-up").experiment_id
    store.client.set_experiment_tag(experiment, "schema", "99")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(doctor.metadata, "requires", lambda _: ["numpy>=99", "nowhere-to-be-found"])
        patched.setattr(doctor, "_WORKER_BYTES", 2**60)
        patched.setattr(doctor, "_DISK_BYTES", 2**70)
        code, states, said = examine(call, "--fix")
    assert code == 1
    assert {area for area, found in states.items() if "WRONG" in found} == {"schema", "versions", "threads", "disk"}
    assert "numpy>=99 (installed: " in said
    assert "nowhere-to-be-found (installed: none)" in said
    assert "mnist-bench: 4 wrong\n" in said


def test_an_older_schema_is_told_and_migrated(outdated, call):
    """Nothing touches it before --fix; then its runs are read, and beside it is the file as it was."""
    before = schema_of(outdated)
    code, states, said = examine(call)
    assert (code, states["database"]) == (1, ["WRONG"])
    assert f"MLflow's schema {OLDER}, older than this MLflow" in said
    assert "1 wrong, of which --fix mends 1" in said
    assert {"outbox", "runs"} & {*states} == set()
    for command in (["leaderboard", "--suite", "made_up"], ["run", "--suite", "smoke", "--dataset", "mnist-5k"]):
        code, output, errors = call(*command)
        assert (code, output) == (2, "")
        assert "`mnist-bench doctor --fix` migrates it (keeps it as mlflow.db.17e22815139b)" in errors
    assert schema_of(outdated) == before == OLDER
    code, states, said = examine(call, "--fix")
    assert (code, states["database"], states["runs"]) == (0, ["mended"], ["ok"]), said
    assert schema_of(outdated) != OLDER
    assert schema_of(outdated.with_name(f"mlflow.db.{OLDER}")) == OLDER
    (run,) = read_suite(open_store(f"sqlite:///{outdated}"), "made_up").runs.to_dict("records")
    assert (run["finished"], run["test_accuracy"]) == (True, 0.75)
    assert "database" not in examine(call)[1]


def test_a_schema_that_is_read_without_mlflow_is_migrated_too(outdated, call, monkeypatch):
    """MLflow was upgraded: the store can be read as before, and nothing recorded until --fix."""
    monkeypatch.setattr("mnist_bench.tracking.database.SCHEMA", OLDER)
    assert call("leaderboard", "--suite", "made_up")[0] == 0
    assert examine(call)[1]["database"] == ["WRONG"]
    code, states, said = examine(call, "--fix")
    assert (code, states["database"], states["runs"]) == (0, ["mended"], ["ok"]), said


@pytest.mark.slow
def test_an_older_schema_on_postgresql_is_migrated(call, postgresql):
    """Its backup is the user's to make, and the line says so."""
    uri = postgresql("older")
    make_older(uri)
    code, states, said = examine(call, "--tracking-uri", uri)
    assert (code, states["database"]) == (1, ["WRONG"])
    assert "a backup is yours to make" in said
    assert services.PASSWORD not in said
    code, states, said = examine(call, "--tracking-uri", uri, "--fix")
    assert (code, states["database"], states["runs"]) == (0, ["mended"], ["ok"]), said
    assert "database" not in examine(call, "--tracking-uri", uri)[1]


def test_a_copy_of_before_is_never_written_over(outdated, call):
    """A migration that was broken off left one: that is told, and both files stay as they are."""
    copy = outdated.with_name(f"mlflow.db.{OLDER}")
    copy.write_bytes(b"the only good one")
    code, states, said = examine(call, "--fix")
    assert (code, states["database"]) == (1, ["WRONG"])
    assert "put it back as mlflow.db, or move it away" in said
    assert (copy.read_bytes(), schema_of(outdated)) == (b"the only good one", OLDER)


def test_a_newer_schema_is_refused(store, call):
    """It is told by whom it can be read, and not touched."""
    database = store.location.database
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_later'")
    code, states, said = examine(call, "--fix")
    assert (code, states["store"]) == (1, ["WRONG"])
    assert "has MLflow's schema from_later, which this MLflow" in said
    assert "upgrade MLflow" in said
    assert (schema_of(database), [*database.parent.glob("mlflow.db.*")]) == ("from_later", [])


def test_without_a_store_there_is_nothing_wrong(call, tmp_path):
    """A folder in which nothing was run yet stays empty."""
    code, states, said = examine(call)
    assert (code, states["store"]) == (0, ["ok"]), said
    assert list(tmp_path.iterdir()) == []


def test_sync_delivers_what_waits(store, call, left_behind):
    """Runs in the outbox are recorded, what is half-written is set aside with a line, and again there is nothing."""
    code, output, errors = call("sync")
    assert (code, output) == (0, f"1 runs delivered to {store.location.address}\n")
    assert errors == f"{store.location.outbox}/.1-half.zip: half-written; set aside as 1-half.zip.rejected\n"
    assert "FINISHED" in states_of(store, left_behind)
    assert call("sync") == (0, f"nothing waits in {store.location.outbox}\n", "")


def test_sync_says_what_still_waits(store, call, left_behind):
    """A run of an experiment that was deleted stays in the outbox, and the exit code is 1."""
    store.client.delete_experiment(left_behind)
    code, output, errors = call("sync")
    assert (code, output) == (1, f"0 runs delivered to {store.location.address}\n")
    assert "was deleted in" in errors
    assert f"mnist-bench: 1 runs still wait in {store.location.outbox}: give this command again later" in errors
    store.client.restore_experiment(left_behind)
    assert call("sync")[0] == 0
    assert open_store(store.location.uri).client.get_experiment(left_behind).lifecycle_stage == "active"
