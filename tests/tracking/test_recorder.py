"""Recording runs in MLflow, read back with MLflow's own client."""

from __future__ import annotations

import getpass
import math
import platform

import pytest
from made_up import run_spec
from tracking.recordings import STARTED_AT, agenda, failed_result, record, run_result, through_mlflow

from mnist_bench.specs import Augmentation, RunSpec
from mnist_bench.tracking import Delivery, Outbox, Recorder, fetch_model


@pytest.fixture
def outbox(store):
    return Outbox(store.location.outbox)


def _experiment(store, name="made_up/made-up"):
    return store.client.get_experiment_by_name(name)


def _children(store):
    runs = store.client.search_runs([_experiment(store).experiment_id])
    return [run for run in runs if "run_key" in run.data.tags]


def _parents(store):
    runs = store.client.search_runs([_experiment(store).experiment_id])
    return {run.data.tags["variant"]: run for run in runs if "role" in run.data.tags}


def _everything(store):
    """All that MLflow's client says of every run, each point of each metric and each file included."""
    return [
        run.to_dictionary()
        | {
            name: [(p.step, p.value) for p in store.client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        }
        | {"files": sorted((file.path, file.file_size) for file in store.client.list_artifacts(run.info.run_id))}
        for run in store.client.search_runs([_experiment(store).experiment_id], order_by=["attributes.run_id"])
    ]


def test_a_run_is_recorded_whole(store, outbox):
    """Parameters, tags, each epoch's points, final figures, input, files, times and state are all there."""
    spec = run_spec(augment=Augmentation(rotation_degrees=10))
    result = run_result(spec)
    record(store, [spec], [result])
    (run,) = _children(store)
    assert run.data.params["options.widths"] == "[8]"
    assert run.data.params["recipe.augment.rotation_degrees"] == "10.0"
    tags = run.data.tags
    assert (tags["run_key"], tags["variant_key"], tags["seed"]) == (spec.key, spec.variant_key, "0")
    assert (tags["environment.processor"], tags["split_digest"]) == ("made up", "cut")
    assert (tags["mlflow.user"], tags["host"]) == (getpass.getuser(), platform.node())
    assert RunSpec.model_validate_json(tags["spec"]) == spec
    for name in result.history[0]:
        points = store.client.get_metric_history(run.info.run_id, name)
        assert [(point.step, point.value) for point in points] == [
            (step, epoch[name]) for step, epoch in enumerate(result.history, start=1)
        ]
        assert [point.timestamp for point in points] == [1000 * STARTED_AT + 2000, 1000 * STARTED_AT + 3500]
    assert run.data.metrics.items() >= result.metrics.items()
    (dataset_input,) = run.inputs.dataset_inputs
    assert (dataset_input.dataset.name, dataset_input.dataset.digest) == ("made-up", "digest")
    files = {file.path for file in store.client.list_artifacts(run.info.run_id)}
    assert files == {"curves.png", "predictions.npz", "model.keras"}
    assert (run.info.start_time, run.info.end_time) == (1000 * STARTED_AT, 1000 * STARTED_AT + 5000)
    assert run.info.status == "FINISHED"
    assert outbox.entries() == []


def test_a_failed_run_is_recorded_with_its_cause(store):
    """A diverged run is FAILED, says why, and keeps the epochs that it got through, NaN included."""
    record(store, [run_spec()], [failed_result(run_spec(), "the loss was nan in epoch 1")])
    (run,) = _children(store)
    assert (run.info.status, run.data.tags["cause"]) == ("FAILED", "the loss was nan in epoch 1")
    (point,) = store.client.get_metric_history(run.info.run_id, "train_loss")
    assert math.isnan(point.value)


def test_a_parent_stands_for_each_variant(store):
    """Parents carry what is planned; preparing again finds them, with new tags and the same runs."""
    specs = [
        run_spec(seed=seed, variant=name, options={"name": name}) for seed in (0, 1) for name in ("baseline", "wide")
    ]
    record(store, specs, [])
    before = _parents(store)
    record(store, specs[:2], [], edition="second")
    after = _parents(store)
    assert {name: run.info.run_id for name, run in before.items()} == {
        name: run.info.run_id for name, run in after.items()
    }
    assert {name: run.data.tags["role"] for name, run in after.items()} == {"baseline": "baseline", "wide": "variant"}
    assert [run["wide"].data.tags["seeds_planned"] for run in (before, after)] == ["[[0, 1]]", "[[0, 0]]"]
    assert (after["wide"].data.tags["edition"], after["wide"].data.tags["question"]) == ("second", "Does it?")
    assert after["wide"].data.params["options.name"] == "wide"


def test_a_renamed_variant_keeps_its_parent(store):
    """The variant's key identifies it, so that another name costs no training."""
    record(store, [run_spec()], [])
    record(store, [run_spec(variant="renamed")], [])
    assert set(_parents(store)) == {"renamed"}
    assert _parents(store)["renamed"].info.run_name == "renamed"


def test_variants_that_swap_names_keep_their_parents(store):
    """As the best of a search do where another trial comes between them."""
    first, second = run_spec(variant="top_1", options={"a": 1}), run_spec(variant="top_2", options={"a": 2})
    record(store, [first, second], [])
    before = _parents(store)
    swapped = [first.model_copy(update={"variant": "top_2"}), second.model_copy(update={"variant": "top_1"})]
    record(store, swapped, [])
    after = _parents(store)
    assert after["top_1"].info.run_id == before["top_2"].info.run_id
    assert after["top_2"].info.run_id == before["top_1"].info.run_id


def test_variants_that_come_to_the_same_have_a_parent_each(store):
    """Two names for one recipe, such as precision auto and float32, do not share a parent."""
    record(store, [run_spec()], [])
    for _ in range(2):
        record(store, [run_spec(), run_spec(variant="same")], [])
    assert set(_parents(store)) == {"baseline", "same"}


@pytest.mark.parametrize("interrupted_in", ["log_batch", "log_inputs", "set_terminated"])
def test_what_was_cut_short_is_completed(store, outbox, monkeypatch, interrupted_in):
    """A recording killed at any step is completed by the next delivery; another changes nothing."""

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    store = through_mlflow(store)
    recorder = Recorder(store, outbox)
    recorder.prepare(agenda([run_spec()]))
    with monkeypatch.context() as patched:
        patched.setattr(store.client, interrupted_in, killed)
        with pytest.raises(KeyboardInterrupt):
            recorder.record(run_result())
    assert len(outbox.entries()) == 1
    (entry,) = outbox.entries()
    content = entry.read_bytes()
    assert Recorder(store, outbox).deliver().delivered == 1
    (run,) = _children(store)
    assert run.info.status == "FINISHED"
    once = _everything(store)
    entry.write_bytes(content)
    assert Recorder(store, outbox).deliver().delivered == 1
    assert _everything(store) == once
    assert outbox.entries() == []


def test_delivering_twice_changes_nothing_even_of_a_run_that_never_ended(store, outbox):
    """All that a run is given may be given again: its points, inputs and files stay as they were."""
    result = run_result()
    recorder = Recorder(store, outbox)
    recorder.prepare(agenda([run_spec()]))
    entry = outbox.put(result)
    content = entry.read_bytes()
    recorder.deliver()
    once = _everything(store)
    (run,) = _children(store)
    store.client.update_run(run.info.run_id, status="RUNNING")
    entry.write_bytes(content)
    recorder.deliver()
    assert _everything(store) == once


def test_a_leftover_of_an_unplanned_variant_is_delivered(store, outbox):
    """What waits is delivered though no suite names it any more, and counts once one does."""
    outbox.put(run_result())
    assert Recorder(store, outbox).deliver().delivered == 1
    assert _parents(store)["baseline"].info.status == "FINISHED"
    record(store, [run_spec()], [])
    (run,) = _children(store)
    assert run.data.tags["mlflow.parentRunId"] == _parents(store)["baseline"].info.run_id


def test_unreadable_leftovers_are_reported(store, outbox):
    """A file that can't be read is set aside and named, and the rest is delivered."""
    outbox.put(run_result())
    (outbox.folder / "0-broken.zip").write_text("half a file")
    delivery = Recorder(store, outbox).deliver()
    aside = "not a recorded run's name; set aside as 0-broken.zip.rejected"
    assert delivery == Delivery(1, (f"{outbox.folder / '0-broken.zip'}: {aside}",))


def test_a_parent_has_its_aggregates(store, outbox):
    """Figures over the seeds are the parent's metrics, its verdict a tag; it is RUNNING as long as the suite is."""
    with Recorder(store, outbox) as recorder:
        parent = recorder.prepare(agenda([run_spec()]))["baseline"]
        assert _parents(store)["baseline"].info.status == "RUNNING"
        recorder.record_aggregates(parent, {"effect_pp": 0.3}, {"verdict": "helps"})
        assert _parents(store)["baseline"].info.status == "RUNNING"
    run = _parents(store)["baseline"]
    assert (run.info.status, run.data.metrics, run.data.tags["verdict"]) == ("FINISHED", {"effect_pp": 0.3}, "helps")


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "KILLED"), (RuntimeError, "FAILED")])
def test_no_parent_stays_running(store, outbox, error, status):
    """However a suite ends, its parents end with it."""
    recorder = Recorder(store, outbox)
    recorder.prepare(agenda([run_spec()]))
    with pytest.raises(error), recorder:
        raise error
    assert _parents(store)["baseline"].info.status == status


def _epoch(**figures):
    return {"train_loss": 0.5} | figures


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (_epoch(val_accuracy=0.8, val_loss=0.1), _epoch(val_accuracy=0.9, val_loss=0.2), b"second"),
        (_epoch(val_accuracy=0.9, val_loss=0.1), _epoch(val_accuracy=0.8, val_loss=0.1), b"first"),
        (_epoch(val_accuracy=0.9, val_loss=0.2), _epoch(val_accuracy=0.9, val_loss=0.1), b"second"),
        (_epoch(val_accuracy=0.9, val_loss=0.1), _epoch(val_accuracy=0.9, val_loss=0.1), b"first"),
        (_epoch(val_accuracy=0.9, val_loss=float("nan")), _epoch(val_accuracy=0.9, val_loss=0.1), b"second"),
        (_epoch(), {"train_loss": 0.4}, b"second"),
        (_epoch(), {"train_loss": 0.6}, b"first"),
    ],
)
def test_the_best_model_is_kept_by_validation(store, outbox, first, second, kept):
    """By accuracy, then loss, else training loss; never by test figures, which favour the other run here."""
    for model, epoch in ((b"first", first), (b"second", second)):  # as two processes
        test = {"test_accuracy": 0.1 if model == kept else 0.99}
        seed = int(model == b"second")
        Recorder(store, outbox).record(run_result(run_spec(seed=seed), history=(epoch,), model=model, metrics=test))
    models = [fetch_model(store, run.info.run_id) for run in _children(store)]
    assert [model for model in models if model] == [kept]
    assert fetch_model(store, _parents(store)["baseline"].data.tags["best_run_id"]) == kept


def test_a_failed_run_keeps_no_model(store, outbox):
    """What diverged is nobody's best."""
    Recorder(store, outbox).record(failed_result(run_spec(), model=b"diverged"))
    assert fetch_model(store, _children(store)[0].info.run_id) is None


def test_every_model_is_kept_on_request(store, outbox):
    """With keep_models no run's model is deleted."""
    recorder = Recorder(store, outbox, keep_models=True)
    for seed, score in enumerate((0.8, 0.9, 0.7)):
        recorder.record(run_result(run_spec(seed=seed), score=score, model=str(seed).encode()))
    assert {fetch_model(store, run.info.run_id) for run in _children(store)} == {b"0", b"1", b"2"}


def test_a_better_model_that_another_process_delivers_meanwhile_is_kept(store, outbox):
    """What beats the best that was read is compared with the best that there is by then."""
    first, second, third = (
        run_result(run_spec(seed=seed), score=score, model=str(seed).encode())
        for seed, score in enumerate((0.5, 0.9, 0.7))
    )
    recorder = Recorder(store, outbox)
    recorder.record(first)
    Recorder(store, Outbox(outbox.folder)).record(second)
    recorder.record(third)
    assert fetch_model(store, _parents(store)["baseline"].data.tags["best_run_id"]) == second.model


def test_a_model_that_is_known_to_be_surpassed_is_not_written_to_disk(store, outbox, monkeypatch):
    """Of three runs the better ones' models pass through the outbox; with keep_models all do."""
    sizes = []
    put = outbox.put
    monkeypatch.setattr(
        outbox, "put", lambda result, entry: sizes.append(len(result.model or b"")) or put(result, entry)
    )
    for keep, expected in ((False, [8, 0, 8]), (True, [8, 8, 8])):
        recorder = Recorder(store, outbox, keep_models=keep)
        for seed, score in enumerate((0.8, 0.7, 0.9)):
            spec = run_spec(seed=seed, variant=f"keep_{keep}", options={"keep": keep})
            recorder.record(run_result(spec, score=score, model=b"8 bytes!"))
        assert sizes == expected
        sizes.clear()
