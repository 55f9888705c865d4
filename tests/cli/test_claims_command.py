"""`mnist-bench claims`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from made_up import run_spec
from tracking.recordings import new_store, record, run_result

from mnist_bench import claims
from mnist_bench.cli.claims import command
from mnist_bench.errors import DataError, StoreError


def _specs(suite, *variants, epochs):
    return [
        run_spec(seed=seed, suite=suite, variant=name, options={"name": name}, epochs=epochs)
        for seed in range(6)
        for name in variants
    ]


@pytest.fixture
def store(tmp_path_factory, tmp_path):
    return new_store(tmp_path_factory, tmp_path)


def _claims(uri, *options):
    shown = CliRunner().invoke(command, ["--tracking-uri", uri, *options], catch_exceptions=False)
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout


def _judged(store, *options):
    read = json.loads(_claims(store.location.uri, "--format", "json", *options))
    return {claim["name"]: claim for claim in read["claims"]}


def test_a_dataset_that_nobody_knows_is_refused(store):
    """Nothing can ever be recorded on a misspelt name, nor on `auto`."""
    for name, mend in (("mnsit", "did you mean 'mnist'"), ("auto", "known: ")):
        with pytest.raises(DataError, match=f"unknown dataset '{name}', on which nothing is recorded; {mend}"):
            _claims(store.location.uri, "--dataset", name)


def test_accuracies_are_judged_by_what_was_recorded(store):
    """Of our own claims those that were run are judged, and the others have the command that runs them."""
    specs = _specs("references", "baseline", "logistic_unscaled", epochs=10)
    scores = {"baseline": 0.9255, "logistic_unscaled": 0.6}
    record(store, specs, [run_result(spec, score=scores[spec.variant] + spec.seed / 10_000) for spec in specs])
    judged = _judged(store, "--dataset", "made-up")
    assert judged["logistic_regression"]["verdict"] == "reproduced"
    assert judged["logistic_regression_unscaled"]["verdict"] == "contradicted"
    assert judged["mlp"]["evidence"] == "No run of mlp has finished."
    assert judged["max_pooling"]["evidence"] == "Nothing of suite ablations is recorded on made-up."
    assert {claim["command"] is None for claim in judged.values() if claim["verdict"] == "not run yet"} == {False}


def test_curves_are_read_where_a_claim_is_about_them(store):
    """Epochs to an accuracy, and the epoch of least loss, come from the points that each run recorded."""
    curve = {"train_loss": 0.1, "val_loss": 0.1}
    late, early = (({"val_accuracy": 0.5} | curve,) * epochs + ({"val_accuracy": 0.99} | curve,) for epochs in (3, 1))
    specs = _specs("ablations", "baseline", "no_batch_norm", epochs=10)
    record(store, specs, [run_result(spec, history=early if spec.variant == "baseline" else late) for spec in specs])
    losses = tuple({"train_loss": 0.1, "val_loss": abs(epoch - 20)} for epoch in range(1, 51))
    specs = _specs("overfitting", "baseline", epochs=50)
    record(store, specs, [run_result(spec, history=losses) for spec in specs])
    judged = _judged(store, "--dataset", "made-up")
    assert (judged["without_batch_norm_slower"]["verdict"], judged["without_batch_norm_slower"]["mean"]) == (
        *("reproduced", 2),
    )
    assert (judged["overfitting"]["verdict"], judged["overfitting"]["mean"]) == ("reproduced", 20)


def test_runs_of_another_length_judge_nothing(store):
    """What `run --epochs` shortened is not what was published, so the claim isn't run yet."""
    specs = _specs("references", "baseline", "logistic_unscaled", epochs=1)
    record(store, specs, [run_result(spec, score=0.9255) for spec in specs])
    claim = _judged(store, "--dataset", "made-up")["logistic_regression"]
    assert (claim["verdict"], claim["mean"]) == ("not run yet", None)
    assert claim["evidence"] == "baseline was last run with epochs = 1, not 10."


def test_a_variant_that_its_suite_no_longer_has_is_no_fault(store):
    """A suite file may have lost a variant since; the others are judged as before."""
    specs = _specs("references", "baseline", "gone", epochs=10)
    record(store, specs, [run_result(spec, score=0.9255) for spec in specs])
    assert _judged(store, "--dataset", "made-up")["logistic_regression"]["verdict"] == "reproduced"


def test_mnist_is_meant_unless_told(store):
    """Runs on other images than the publications' don't count by themselves."""
    specs = _specs("references", "baseline", epochs=10)
    record(store, specs, [run_result(spec) for spec in specs])
    assert {claim["verdict"] for claim in _judged(store).values()} == {"not run yet"}
    assert "judged by runs on mnist: 0 reproduced" in _claims(store.location.uri)


def test_before_anything_is_recorded_all_claims_are_shown(tmp_path):
    """A newcomer sees what there is to reproduce and how, and no store is made for it."""
    shown = _claims(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    assert shown.count("not run yet   ") == len(claims.load())
    assert "    mnist-bench run --suite overfitting --dataset mnist --only baseline\n" in shown
    assert not list(tmp_path.iterdir())


def test_markdown_begins_with_what_it_is_of(store):
    """It can be written to a file as it is."""
    assert "\n\n| claim | published (our tolerance) | " in _claims(store.location.uri, "--format", "markdown")


def test_a_store_of_before_there_were_verdicts_is_told(store):
    """What can't be judged for want of a plan is not passed off as not run."""
    specs = _specs("references", "baseline", epochs=10)
    record(store, specs, [])
    experiment = store.client.get_experiment_by_name("references/made-up").experiment_id
    store.client.delete_experiment_tag(experiment, "smallest_effect_pp")
    with pytest.raises(StoreError, match="recorded before there were verdicts"):
        _claims(store.location.uri, "--dataset", "made-up")
