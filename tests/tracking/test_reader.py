"""Reading what counts of a suite, and what was recorded before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import run_spec
from tracking.recordings import STARTED_AT, agenda, failed_result, record, run_result

from mnist_bench.errors import StoreError
from mnist_bench.specs import DatasetRef
from mnist_bench.tracking import Outbox, Recorder, read_past
from mnist_bench.tracking.reader import read_suite


def _specs(*variants, seeds=2, **changes):
    return [
        run_spec(seed=seed, variant=name, options={"name": name}, **changes)
        for seed in range(seeds)
        for name in variants
    ]


def test_any_number_of_seeds_can_be_planned(store):
    """MLflow cuts long tags off, and PostgreSQL refuses them: seeds are noted by stretches, and read back the same."""
    specs = [run_spec(seed=seed) for seed in [*range(3000), 5000, 7000, 7001]]
    for _ in range(2):  # made, and found again
        record(store, specs, [])
        (variant,) = read_suite(store, "made_up").variants.to_dict("records")
        assert variant["seeds_planned"] == [spec.seed for spec in specs]
    (parent,) = store.client.search_runs([store.client.get_experiment_by_name("made_up/made-up").experiment_id])
    assert parent.data.tags["seeds_planned"] == "[[0, 2999], [5000, 5000], [7000, 7001]]"
    store.client.set_tag(parent.info.run_id, "seeds_planned", "[3, 4, 9]")  # as it was noted at first
    assert read_suite(store, "made_up").variants["seeds_planned"].tolist() == [[3, 4, 9]]


def test_reads_what_was_recorded(store):
    """Variants come with the baseline first and their plan, runs with their figures and times."""
    specs = _specs("wide", "baseline")
    record(store, specs, [run_result(spec, score=0.9 + spec.seed / 100) for spec in specs])
    suite = read_suite(store, "made_up")
    assert (suite.dataset, suite.question) == ("made-up", "Which helps?")
    assert suite.variants[["variant", "role", "seeds_planned"]].values.tolist() == [
        ["baseline", "baseline", [0, 1]],
        ["wide", "variant", [0, 1]],
    ]
    runs = suite.runs.set_index(["variant", "seed"]).sort_index()
    assert runs["test_accuracy"].to_list() == [0.9, 0.91, 0.9, 0.91]
    assert runs["val_loss"].to_list() == [0.3] * 4
    assert runs["seconds"].to_list() == [5.0] * 4
    assert runs["started_at"].iloc[0].timestamp() == STARTED_AT


def test_a_suite_without_ended_runs_is_no_fault(store):
    """What is planned but not done yet has variants and no runs."""
    record(store, _specs("baseline"), [])
    suite = read_suite(store, "made_up")
    assert (len(suite.variants), len(suite.runs)) == (1, 0)


@pytest.mark.parametrize("finished_first", [True, False])
def test_a_finished_run_wins_over_failed_ones(store, finished_first):
    """Whichever came first, a seed that finished counts as finished."""
    spec = run_spec()
    results = [run_result(spec), failed_result(spec, started_at=STARTED_AT + 10)]
    record(store, [spec], results if finished_first else results[::-1])
    assert read_suite(store, "made_up").runs["finished"].to_list() == [True]


def test_the_latest_of_equal_runs_counts(store):
    """Of two failures the later one's cause is told."""
    spec = run_spec()
    later = failed_result(spec, "later", started_at=STARTED_AT + 10)
    record(store, [spec], [later, failed_result(spec, "earlier")])
    assert read_suite(store, "made_up").runs["cause"].to_list() == ["later"]


def test_only_the_last_edition_counts(store):
    """A variant that the suite no longer has is left out; one that it still has keeps its runs."""
    old = _specs("baseline", "gone")
    record(store, old, [run_result(spec) for spec in old])
    record(store, _specs("baseline", "new"), [], edition="second")
    suite = read_suite(store, "made_up")
    assert set(suite.variants["variant"]) == {"baseline", "new"}
    assert suite.runs["variant"].to_list() == ["baseline"] * 2


def test_a_deleted_parent_hides_its_runs_and_breaks_nothing(store):
    """What somebody deletes in MLflow's pages is neither counted nor stumbled over."""
    specs = _specs("baseline", "wide")
    record(store, specs, [run_result(spec) for spec in specs])
    parents = read_suite(store, "made_up").variants.set_index("variant")["run_id"]
    store.client.delete_run(parents["wide"])
    assert set(read_suite(store, "made_up").runs["variant"]) == {"baseline"}
    assert {variant for variant, _ in read_past(store, "made_up", "made-up").finished()} == {"baseline"}


def test_a_part_of_an_edition_leaves_the_rest(store):
    """Running one variant again of an unchanged suite does not hide the others."""
    specs = _specs("baseline", "wide")
    record(store, specs, [run_result(spec) for spec in specs])
    record(store, _specs("wide"), [])
    assert set(read_suite(store, "made_up").runs["variant"]) == {"baseline", "wide"}


def test_running_a_new_variant_alone_leaves_the_rest(store):
    """After a variant was added to the suite and run by itself, it stands beside those that were run before."""
    specs = _specs("baseline", "wide")
    record(store, specs, [run_result(spec) for spec in specs])
    new = _specs("new")
    members = {spec.variant: spec.variant_key for spec in [*specs, *new]}
    record(store, new, [run_result(spec) for spec in new], edition="second", members=members)
    assert set(read_suite(store, "made_up").runs["variant"]) == {"baseline", "wide", "new"}


def test_only_planned_seeds_count(store):
    """With fewer seeds planned, the rest of an earlier plan is left out."""
    specs = _specs("baseline", seeds=3)
    record(store, specs, [run_result(spec) for spec in specs])
    record(store, _specs("baseline", seeds=2), [])
    assert sorted(read_suite(store, "made_up").runs["seed"]) == [0, 1]


def test_the_dataset_planned_last_is_meant(store):
    """Without a dataset the suite's last one is read; with one, that."""
    other = DatasetRef(name="other", digest="other", split="cut")
    here, there = run_spec(), run_spec().model_copy(update={"dataset": other})
    record(store, [there], [run_result(there)])
    record(store, [here], [run_result(here)])
    assert read_suite(store, "made_up").dataset == "made-up"
    assert read_suite(store, "made_up", "other").dataset == "other"


def test_what_is_unknown_is_told_with_what_is_there(store):
    """An unknown suite or dataset is answered with the nearest, or with all."""
    with pytest.raises(StoreError, match=r"no run of suite 'made_up' .*run `mnist-bench run` first"):
        read_suite(store, "made_up")
    record(store, [run_spec()], [])
    with pytest.raises(StoreError, match="did you mean 'made_up'"):
        read_suite(store, "made-up")
    with pytest.raises(StoreError, match=r"on 'fashion' .*known: made-up"):
        read_suite(store, "made_up", "fashion")


def test_pages_are_read_to_the_end(store, monkeypatch):
    """More runs than a page holds are all read."""
    monkeypatch.setattr("mnist_bench.tracking.store._PAGE", 2)
    specs = _specs("baseline", seeds=5)
    record(store, specs, [run_result(spec) for spec in specs])
    assert len(read_suite(store, "made_up").runs) == 5


def test_the_past_says_what_is_finished(store):
    """Failed runs are to be done again; finished ones are not, under their variant's present name."""
    specs = [run_spec(seed=seed) for seed in range(2)]
    record(store, specs, [run_result(specs[0]), failed_result(specs[1])])
    record(store, [run_spec(variant="renamed")], [])
    past = read_past(store, "made_up", "made-up")
    assert list(past.finished()) == [("renamed", specs[0].key)]
    assert store.client.get_run(past.finished()["renamed", specs[0].key]).info.status == "FINISHED"


def test_the_past_remembers_specs_and_speeds(store):
    """The latest spec explains what has changed, and epochs tell how long the next will take."""
    before, now = run_spec(epochs=2), run_spec(epochs=3)
    record(store, [before], [run_result(before)])
    record(store, [now], [run_result(now, started_at=STARTED_AT + 10)])
    past = read_past(store, "made_up", "made-up")
    assert past.spec("baseline", 0) == now
    assert past.spec("baseline", 1) is None
    assert past.epoch_seconds("baseline") == 1.5
    assert past.epoch_seconds("unknown") is None


def test_nothing_past_is_no_fault(store):
    """A suite that never ran has finished nothing."""
    assert read_past(store, "made_up", "made-up").finished() == {}


def test_what_a_suite_is_judged_by_is_read_back(store):
    """The smallest effect that matters, the looks, and the pair that each seed belongs to."""
    specs = [run_spec(seed=seed) for seed in (100, 101)]
    with Recorder(store, Outbox(store.location.outbox)) as recorder:
        recorder.prepare(agenda(specs, offset=100))
        for spec in specs:
            recorder.record(run_result(spec))
    suite = read_suite(store, "made_up")
    assert (suite.smallest_effect_pp, suite.variants["looks"].to_list()) == (0.1, [(2,)])
    assert suite.runs[["seed", "pair"]].sort_values("seed").to_numpy().tolist() == [[100, 0], [101, 1]]


def test_a_store_from_before_the_verdicts_says_what_to_do(store):
    """What it lacks is told, and which command adds it without training again."""
    record(store, _specs("baseline"), [])
    experiment = store.client.get_experiment_by_name("made_up/made-up")
    store.client.delete_experiment_tag(experiment.experiment_id, "smallest_effect_pp")
    with pytest.raises(
        StoreError, match=r"give its `mnist-bench run` once more; what is finished is not trained again"
    ):
        read_suite(store, "made_up")


def test_a_look_is_not_forgotten(store):
    """A variant that was looked at, and is planned for more seeds, keeps its look; the others keep theirs."""
    record(store, _specs("baseline", "wide"), [])
    more = _specs("baseline", seeds=5)
    members = {spec.variant: spec.variant_key for spec in _specs("baseline", "wide")}
    with Recorder(store, Outbox(store.location.outbox)) as recorder:
        recorder.prepare(replace(agenda(more, members=members), looks=(3, 5)))
    looks = read_suite(store, "made_up").variants.set_index("variant")["looks"]
    assert looks.to_dict() == {"baseline": (2, 3, 5), "wide": (2,)}


def test_a_variant_from_before_there_were_looks_has_had_one(store):
    """Left out of a plan, it is read with the others all the same."""
    record(store, _specs("baseline", "wide"), [])
    parents = read_suite(store, "made_up").variants.set_index("variant")["run_id"]
    store.client.delete_tag(parents["wide"], "looks")
    members = {spec.variant: spec.variant_key for spec in _specs("baseline", "wide")}
    record(store, _specs("baseline"), [], members=members)
    assert read_suite(store, "made_up").variants["looks"].to_list() == [(2,), (2,)]


def test_runs_come_in_the_order_of_their_seeds(store):
    """However they were recorded, so that what is computed of them is the same to the last bit."""
    specs = [run_spec(seed=seed) for seed in range(4)]
    record(store, specs, [run_result(spec) for spec in (specs[2], specs[0], specs[3], specs[1])])
    assert read_suite(store, "made_up").runs["seed"].tolist() == [0, 1, 2, 3]
