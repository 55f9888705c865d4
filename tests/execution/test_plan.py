"""Which runs a suite comes to."""

from __future__ import annotations

import made_up
import pytest

from mnist_bench import processor, suites
from mnist_bench.errors import DataError, SuiteError
from mnist_bench.execution.plan import make_plan

SUITE = """
question = "q"
cost = "c"
seeds = 3
[baseline]
architecture = "mlp"
[variants.narrow]
options = {widths = [4]}
[variants.onward]
start_from = "narrow"
[variants.any_precision]
recipe = {precision = "auto"}
"""


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE)
    return suites.load(str(path))


def test_seeds_are_outermost(suite, dataset):
    """An interrupted suite holds whole rounds: every variant with seed 0, then every one with seed 1."""
    plan = make_plan(suite, dataset)
    assert [run.seed for run in plan.runs] == [0] * 4 + [1] * 4 + [2] * 4
    assert [run.variant for run in plan.runs[:4]] == ["baseline", "narrow", "onward", "any_precision"]


def test_variants_share_a_run_key_only_if_they_come_to_the_same(suite, dataset, monkeypatch):
    """Where `auto` becomes float32 it is the baseline under another name; all others have keys of their own."""
    monkeypatch.setattr(processor, "computes_in_bfloat16", lambda: False)
    keys = {run.variant: run.key for run in make_plan(suite, dataset, seeds=1).runs}
    assert len(set(keys.values())) == 3
    assert keys["any_precision"] == keys["baseline"]


def test_a_dataset_too_small_for_a_recipe_is_told_with_the_variant(suite):
    """The line names whose recipe asks for more than there is."""
    with pytest.raises(DataError, match=r"^baseline, recipe.validation: "):
        make_plan(suite, made_up.images(train=6))


def test_seeds_and_variants_can_be_narrowed(suite, dataset):
    """`--seeds` and `--only` choose among the runs, and leave the keys and the edition as they are."""
    whole = make_plan(suite, dataset)
    part = make_plan(suite, dataset, seeds=1, only=["narrow"])
    assert [run.key for run in part.runs] == [run.key for run in whole.runs[:4] if run.variant == "narrow"]
    assert part.edition == whole.edition


def test_an_unknown_variant_gets_one_line(suite, dataset):
    """`--only` names a variant, or is told the nearest."""
    with pytest.raises(SuiteError, match=r"suite mine has no variant 'narow'; did you mean 'narrow'\?"):
        make_plan(suite, dataset, only=["narow"])


def test_a_run_starts_from_the_one_of_its_own_seed(suite, dataset):
    """What is trained on from shares its seed, so that pairs stay pairs."""
    runs = {(run.variant, run.seed): run for run in make_plan(suite, dataset).runs}
    assert runs["onward", 2].start_from == runs["narrow", 2]


def test_finished_runs_are_not_to_do(suite, dataset):
    """A run is skipped where the same key is finished under the same variant."""
    plan = make_plan(suite, dataset)
    done = plan.runs[1]
    assert done not in plan.todo({(done.variant, done.key)})
    assert len(plan.todo({(done.variant, done.key)})) == len(plan.runs) - 1
    assert plan.todo({("another", done.key)}) == plan.runs


@pytest.mark.parametrize(("able", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_auto_becomes_what_the_processor_computes_in(suite, dataset, monkeypatch, able, precision):
    """What `auto` became is what the run key sees."""
    monkeypatch.setattr(processor, "computes_in_bfloat16", lambda: able)
    run = make_plan(suite, dataset, only=["any_precision"]).runs[0]
    assert run.recipe.precision == precision


def test_other_data_is_another_edition(suite, dataset):
    """Results of different data never share a leaderboard."""
    assert make_plan(suite, made_up.images(train=180)).edition != make_plan(suite, dataset).edition


def test_a_seed_offset_moves_a_variants_seeds_alone(tmp_path, dataset):
    """The variant is trained with other seeds than the baseline, and both keep what else they are."""
    path = tmp_path / "mine.toml"
    path.write_text(SUITE + "[variants.again]\nseed_offset = 100\n")
    plan = make_plan(suites.load(str(path)), dataset, seeds=2, only=["baseline", "again"])
    assert [(run.variant, run.seed) for run in plan.runs] == [
        *(("baseline", 0), ("again", 100)),
        *(("baseline", 1), ("again", 101)),
    ]
    assert plan.variant_keys["again"] == plan.variant_keys["baseline"]
    assert plan.agenda().seed_offsets["again"] == 100


def test_one_looks_once_unless_told(suite, dataset):
    """A plan's looks are its seeds, or those that it is given; what matters goes with them."""
    assert make_plan(suite, dataset).looks == (3,)
    agenda = make_plan(suite, dataset, seeds=2, looks=(2, 4)).agenda()
    assert (agenda.looks, agenda.smallest_effect_pp) == ((2, 4), 0.1)
