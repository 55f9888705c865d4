"""A study in MLflow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from made_up import run_spec
from tracking.recordings import failed_result, run_result, twice

from mnist_bench.errors import StoreError
from mnist_bench.tracking.health import end_abandoned
from mnist_bench.tracking.leases import claims
from mnist_bench.tracking.recorded import finished_run
from mnist_bench.tracking.studies import StudyRecorder

SETTINGS = {"epochs": "2", "space.options.kernel": "[3, 5]"}


def recorder(store, identity="one"):
    return StudyRecorder(store, "mine", identity, "made-up", SETTINGS)


def trial(number, **changes):
    spec = run_spec(variant=f"trial_{number}", seed=0)
    return run_result(spec, confusion=None, model=None, artifacts={}, **changes)


def runs(store):
    """The parent, and the children by their trials' numbers."""
    experiment = store.client.get_experiment_by_name("tuning/made-up")
    found = store.runs(experiment.experiment_id)
    children = {run.data.tags["trial"]: run for run in found if "trial" in run.data.tags}
    return [run for run in found if "trial" not in run.data.tags], children


def test_a_study_is_a_parent_and_its_trials_are_the_children(store):
    """Every child has its parameters, its figures an epoch, and a state and a tag that say how it ended."""
    studies = recorder(store)
    studies.record(0, trial(0))
    studies.record(1, trial(1, pruned=True))
    studies.record(2, failed_result(run_spec(variant="trial_2"), cause="no room"))
    studies.end("FINISHED")
    (parent,), children = runs(store)
    assert (parent.info.run_name, parent.info.status, parent.data.params) == ("mine", "FINISHED", SETTINGS)
    told = {number: (run.data.tags["trial_state"], run.info.status) for number, run in children.items()}
    assert told == {"0": ("finished", "FINISHED"), "1": ("pruned", "KILLED"), "2": ("failed", "FAILED")}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}
    assert children["2"].data.tags["cause"] == "no room"
    assert children["0"].data.params["recipe.epochs"] == "2"
    assert len(store.client.get_metric_history(children["0"].info.run_id, "val_accuracy")) == 2


def test_a_trial_is_no_run_that_can_be_shown(store):
    """It has seen no test image, which is told instead of missing files."""
    studies = recorder(store)
    studies.record(0, trial(0))
    with pytest.raises(StoreError, match="is a search's trial, which has seen no test image"):
        finished_run(store, runs(store)[1]["0"].info.run_id)


def test_the_end_of_a_search_needs_no_store(store, monkeypatch):
    """While it lasts its lease is there; where the store no longer answers nothing is raised, and it ends by itself."""

    def away(*_):
        raise ConnectionError

    studies = recorder(store)
    with studies.presence():
        experiment = store.client.get_experiment_by_name("tuning/made-up").experiment_id
        (claim,) = claims(store, experiment)
        assert claim.live
        monkeypatch.setattr(store.client, "get_experiment", away)
    monkeypatch.undo()
    with studies.presence():
        assert len(claims(store, experiment)) == 2
    assert claims(store, experiment) == [claim]


def test_what_was_made_twice_is_there_once(store, monkeypatch):
    """MLflow's client asks again where an answer is lost: of two parents, and of two children of a trial, one goes."""
    monkeypatch.setattr(store.client, "create_run", twice(store.client.create_run))
    studies = recorder(store)
    studies.record(0, trial(0))
    studies.end("FINISHED")
    experiment = store.client.get_experiment_by_name("tuning/made-up")
    states = [run.info.status for run in store.runs(experiment.experiment_id)]
    assert (states, recorder(store).recorded) == (["FINISHED"] * 2, {0})


def test_searches_that_begin_at_once_have_one_parent(store):
    """One makes it and gives it the settings, which MLflow takes from one alone; the others find it."""
    with ThreadPoolExecutor(3) as threads:
        parents = {studies._parent for studies in threads.map(lambda _: recorder(store), range(3))}
    ((parent,), _) = runs(store)
    assert (parents, parent.data.params) == ({parent.info.run_id}, SETTINGS)


def test_a_parent_without_its_settings_gets_them(store):
    """Whoever made it was killed in between."""
    parent = recorder(store)._parent
    experiment = store.client.get_experiment_by_name("tuning/made-up").experiment_id
    store.client.delete_run(parent)
    store.client.create_run(experiment, tags={"study": "mine", "study_identity": "one"})
    recorder(store)
    ((parent,), _) = runs(store)
    assert parent.data.params == SETTINGS


def test_what_is_recorded_is_recorded_once(store):
    """A search that goes on finds its parent again, and what it has; a recording that was cut short is completed."""
    recorder(store).record(0, trial(0))
    studies = recorder(store)
    assert studies.recorded == {0}
    studies._begin(1, trial(1), "finished")
    again = recorder(store)
    assert again.recorded == {0}
    again.record(0, trial(0))
    again.record(1, trial(1))
    assert recorder(store).recorded == {0, 1}
    parents, children = runs(store)
    assert (len(parents), len(children), children["1"].info.status) == (1, 2, "FINISHED")


def test_two_searches_of_a_study_record_a_trial_once(store):
    """What one of them recorded since the other began is not recorded again."""
    one, other = recorder(store), recorder(store)
    one.record(0, trial(0))
    other.record(0, trial(0))
    assert len(store.runs(one._experiment)) == 2  # the parent and one child


def test_another_study_of_the_same_name_is_another(store):
    """A study that was begun anew does not mix its trials with the former one's."""
    recorder(store).record(0, trial(0))
    assert recorder(store, "two").recorded == set()
    assert len(runs(store)[0]) == 2


def test_what_it_came_to_is_the_parents(store):
    """Figures, words and files."""
    studies = recorder(store)
    studies.conclude({"best": 0.99}, {"luck": "none"}, {"history.png": b"\x89PNG"})
    ((parent,), _) = runs(store)
    assert parent.data.metrics["best"] == 0.99
    assert parent.data.tags["luck"] == "none"
    assert [file.path for file in store.client.list_artifacts(parent.info.run_id)] == ["history.png"]


def test_a_deleted_experiment_is_told(store):
    """As for suites: one line, with the mend."""
    recorder(store)
    store.client.delete_experiment(store.client.get_experiment_by_name("tuning/made-up").experiment_id)
    with pytest.raises(StoreError, match=r"experiment tuning/made-up was deleted in .*: restore it first"):
        recorder(store)


def test_a_study_that_nobody_searches_is_ended(store):
    """While a search of it is present, its parent may read RUNNING; then it is ended, and its trials are not."""
    one, two = recorder(store), recorder(store)
    experiment = store.client.get_experiment_by_name("tuning/made-up").experiment_id
    with one.presence(), two.presence():
        assert end_abandoned(store, experiment) == 0
    child = one._begin(0, trial(0), "finished")
    assert end_abandoned(store, experiment) == 1
    (parent,), children = runs(store)
    assert parent.info.status == "KILLED"
    assert children["0"].info.status == store.client.get_run(child.info.run_id).info.status == "RUNNING"
    two.record(0, trial(0))
    assert runs(store)[1]["0"].info.status == "FINISHED"
