"""What a search found, as a suite; and how much of it was luck."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import run_spec
from tracking.recordings import new_store, record, run_result
from tuning.searching import Bench

from mnist_bench import suites
from mnist_bench.errors import OutputError
from mnist_bench.execution.plan import make_plan
from mnist_bench.tracking.reader import read_suite
from mnist_bench.tuning.choice import ranked
from mnist_bench.tuning.confirm import chosen, fresh_accuracies, luck, suite_toml, write_suite
from mnist_bench.tuning.study import tried

RECIPES = """
replace = true
[options]
widths = {layers = {low = 1, high = 2}, width = [4, 8]}
[recipe]
learning_rate = {low = 1e-5, high = 1e-2, log = true}
optimizer = ["adam", "sgd"]
early_stopping = {patience = 2, watch = "val_accuracy"}
augment = {rotation_degrees = 10}
"""


WITH_DEFAULT = """
replace = true
[options]
widths = {layers = [1, 2, 4], width = [32, 64, 128, 256]}
"""


@pytest.fixture
def searched(tmp_path, dataset):
    """A subject, and twelve trials of it."""
    bench = Bench(tmp_path, dataset, RECIPES)
    return bench.subject, tried(bench.search(12))


def test_the_suite_trains_what_the_search_tried(tmp_path, dataset, searched):
    """Read back from its file, each variant is its trial: options and recipe to the last bit, under other seeds."""
    subject, trials = searched
    variants = chosen(subject, trials, 3)
    write_suite(tmp_path / "found" / "bench-top.toml", suite_toml(subject, variants, 4))
    suite = suites.load(str(tmp_path / "found" / "bench-top.toml"))
    assert [variant.name for variant in suite.variants] == ["baseline", *variants]
    plan = make_plan(suite, dataset)
    for name, trial in variants.items():
        runs = [run for run in plan.runs if run.variant == name]
        assert {run.variant_key for run in runs} == {trial.result.spec.variant_key}
        assert [run.seed for run in runs] == [1, 2, 3, 4]
        assert trial.result.spec.seed not in {run.seed for run in runs}


def test_the_baseline_is_the_architectures_default(tmp_path, dataset, searched):
    """With the search's number of epochs, and nothing of what was drawn or fixed."""
    subject, trials = searched
    write_suite(tmp_path / "x.toml", suite_toml(subject, chosen(subject, trials, 1), 2))
    baseline = suites.load(str(tmp_path / "x.toml"))["baseline"]
    assert baseline.recipe.model_dump() == type(baseline.recipe)(epochs=4).model_dump()
    assert baseline.options["widths"] == [256, 128, 64, 32]


def test_the_baseline_is_judged_by_the_images_that_trials_are(tmp_path, dataset):
    """Where the space holds out another part, that the default is compared on too; it stays the default."""
    bench = Bench(tmp_path, dataset, WITH_DEFAULT + "[recipe]\nvalidation = 0.3\n")
    study = bench.search(3)
    default, *others = tried(study)
    assert bench.subject.is_default(default)
    variants = chosen(bench.subject, [default, *others], 3)
    assert default not in variants.values()
    write_suite(tmp_path / "x.toml", suite_toml(bench.subject, variants, 2))
    assert {variant.recipe.validation for variant in suites.load(str(tmp_path / "x.toml")).variants} == {0.3}


def test_the_default_is_known_after_the_code_has_changed(tmp_path, dataset):
    """What makes it the default are its options and recipe, not the versions that trained it."""
    bench = Bench(tmp_path, dataset, WITH_DEFAULT)
    default, other = tried(bench.search(2))
    spec = default.result.spec
    older = spec.model_copy(update={"code": spec.code.model_copy(update={"keras": "2.0"})})
    assert older.key != spec.key
    assert bench.subject.is_default(replace(default, result=replace(default.result, spec=older)))
    assert not bench.subject.is_default(other)


def test_a_suite_that_can_not_be_written_gets_one_line(tmp_path):
    """A full or forbidden folder at the end of a long search is told as such."""
    (tmp_path / "tuned").touch()
    with pytest.raises(OutputError, match=r"bench-top.toml: can't be written \(.*: make room"):
        write_suite(tmp_path / "tuned" / "bench-top.toml", "")


def test_the_best_and_the_simplest_are_chosen(searched):
    """As many of the best as were asked for; the simplest beside them where it is none of these."""
    subject, trials = searched
    order = ranked(trials)
    few = chosen(subject, trials, 2)
    assert [few[f"top_{place}"].number for place in (1, 2)] == [trial.number for trial in order[:2]]
    if "simplest" in few:
        assert few["simplest"] not in order[:2]
    everything = chosen(subject, trials, len(order))
    assert list(everything) == [f"top_{place}" for place in range(1, len(order) + 1)]


def test_what_was_luck_is_told(searched):
    """The sentence has the search's best, its mean and interval on fresh seeds, the default's, and the difference."""
    best = ranked(searched[1])[0]
    promised = 100 * best.accuracy
    told = luck(best, {"top_1": [promised - 1, promised - 2, promised - 3], "baseline": [80.0, 80.0, 80.0]}).sentence
    assert told == (
        f"best in the search {promised:.2f}% on validation; on 3 fresh seeds {promised - 2:.2f} ± 2.48%, and the "
        f"default 80.00 ± 0.00%: of the {promised - 80:.2f} pp that the search seemed to gain, 2.00 pp were luck"
    )


@pytest.mark.parametrize(
    ("fresh", "default", "told"),
    [
        (5, 1, "the search seemed to gain nothing; on fresh seeds it is 4.00 pp above the default"),
        (1, 2, "the search seemed to gain nothing; on fresh seeds it is 1.00 pp below the default"),
        (1, -2, "nothing of the 2.00 pp that the search seemed to gain was luck"),
        (-3, -2, "all of the 2.00 pp that the search seemed to gain was luck"),
    ],
)
def test_a_search_without_gain_or_without_luck_says_so(searched, fresh, default, told):
    """No share is told of what there is nothing of; both figures are relative to the search's best, in points."""
    best = ranked(searched[1])[0]
    figures = {"top_1": [100 * best.accuracy + fresh], "baseline": [100 * best.accuracy + default]}
    assert luck(best, figures).sentence.endswith(f": {told}")


def test_where_the_default_was_the_best_that_is_told(searched):
    """The search seemed to gain nothing then; and where the default is behind, the sentence is as without it."""
    best, *_, worst = ranked(searched[1])
    fresh = {"top_1": [99.0], "baseline": [10.0]}
    told = luck(worst, fresh, best).sentence
    promised, ahead = 100 * worst.accuracy, 100 * best.accuracy
    assert told.startswith(
        f"best in the search the default, {ahead:.2f}%, and of the others {promised:.2f}% on validation"
    )
    assert told.endswith(": the search seemed to gain nothing; on fresh seeds it is 89.00 pp above the default")
    assert luck(best, fresh, worst) == luck(best, fresh)


def test_one_fresh_seed_has_no_interval(searched):
    """No figure is made up for it."""
    told = luck(ranked(searched[1])[0], {"top_1": [90.0], "baseline": [80.0]}).sentence
    assert "on a fresh seed 90.00%, and the default 80.00%:" in told


def test_without_fresh_runs_nothing_is_said_of_luck(searched):
    """Where all of them failed, or the default's did."""
    assert luck(ranked(searched[1])[0], {"top_1": [90.0]}) is None


def test_fresh_accuracies_are_those_of_the_kept_weights(tmp_path_factory, tmp_path):
    """A run that early stopping took back to its first epoch counts by that epoch."""
    store = new_store(tmp_path_factory, tmp_path)
    specs = [run_spec(variant=name, options={"name": name}) for name in ("baseline", "top_1")]
    metrics = {"parameters": 1.0, "test_accuracy": 0.9, "test_loss": 0.1}
    results = [
        run_result(spec, metrics=metrics | {"kept_epoch": kept}) for spec, kept in zip(specs, (2, 1), strict=True)
    ]
    record(store, specs, results)
    assert fresh_accuracies(store, read_suite(store, "made_up")) == {
        "baseline": [pytest.approx(90)],
        "top_1": [pytest.approx(50)],
    }
