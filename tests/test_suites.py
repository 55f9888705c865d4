"""Suite files: what they come to, and how they are refused."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mnist_bench import experiments, suites
from mnist_bench.errors import SuiteError
from mnist_bench.values import NAMED

HEAD = 'question = "q"\ncost = "c"\n[baseline]\narchitecture = "batchnorm_cnn"\nrecipe = {epochs = 3}\n'


@pytest.fixture
def load(tmp_path):
    """Load a suite from text."""

    def loader(text, **overrides):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return suites.load(str(path), **overrides)

    return loader


@pytest.mark.parametrize("name", suites.names())
def test_every_suite_of_ours_is_valid(name):
    """Each file in `experiments/` says its question and cost, and resolves."""
    suite = suites.load(name)
    assert suite.question
    assert suite.cost
    assert suite.variants[0].name == suites.BASELINE


def test_the_suites_that_the_readme_names_are_there():
    """Names that people type stay what they are."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| suite | its question |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert {"ablations", "references", "null", "overfitting", "smoke", "speedrun"} <= named
    assert named == set(suites.names())


def test_ablations_differ_from_the_baseline_in_one_thing():
    """What an ablation shows can be put down to one change."""
    baseline, *ablations = suites.load("ablations").variants
    written = tomllib.loads((experiments.FOLDER / "ablations.toml").read_text())["variants"]
    assert [variant.name for variant in ablations] == [*written]
    for variant in ablations:
        changed_options = {k for k in variant.options if variant.options[k] != baseline.options[k]}
        mine, theirs = variant.recipe.model_dump(), baseline.recipe.model_dump()
        changed_recipe = {k for k in mine if mine[k] != theirs[k]}
        assert len(changed_options | changed_recipe) == 1, variant.name


def test_a_variant_takes_from_the_baseline_what_it_leaves_out(load):
    """Options and recipe are the baseline's, but for what the variant's own table says."""
    suite = load(HEAD + '[variants.a]\noptions = {pooling = "average"}\nrecipe = {batch_size = 7}\n')
    variant = suite["a"]
    assert variant.architecture == "batchnorm_cnn"
    assert variant.options == {**suite["baseline"].options, "pooling": "average"}
    assert (variant.recipe.epochs, variant.recipe.batch_size) == (3, 7)


def test_another_architecture_does_not_inherit_options(load):
    """An option means something only to its own architecture."""
    variant = load(HEAD + '[variants.a]\narchitecture = "mlp"\n')["a"]
    assert set(variant.options) == {"widths", "activation"}
    assert variant.recipe.epochs == 3


def test_epochs_override_every_recipe(load):
    """`--epochs` holds for variants that say otherwise too."""
    suite = load(HEAD + "[variants.a]\nrecipe = {epochs = 9}\n", epochs=1)
    assert [variant.recipe.epochs for variant in suite.variants] == [1, 1]


def test_false_turns_off_what_the_baseline_has(load):
    """TOML has no null: `augment = false` is a recipe without augmentation."""
    head = HEAD.replace("epochs = 3", "augment = {rotation_degrees = 5}, early_stopping = {patience = 2}")
    suite = load(head + "[variants.a]\nrecipe = {augment = false, early_stopping = false}\n")
    assert suite["baseline"].recipe.augment.rotation_degrees == 5
    assert suite["a"].recipe.augment is None
    assert suite["a"].recipe.early_stopping is None


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("question =", "not a TOML file: Invalid value (at end of document)"),
        ('cost = "c"\n[baseline]\narchitecture="mlp"', "suite.question: missing"),
        (HEAD.replace("question", "qestion"), "suite: unknown key 'qestion'; did you mean 'question'?"),
        (
            HEAD.replace("batchnorm_cnn", "batchnorm_cn"),
            "baseline.architecture: unknown architecture 'batchnorm_cn'; did you mean 'batchnorm_cnn'?",
        ),
        ("seeds = 0\n" + HEAD, "suite.seeds: should be greater than or equal to 1, not 0"),
        (HEAD + "[variants.a]\noption = {}", "variants.a: unknown key 'option'; did you mean 'options'?"),
        (
            HEAD + '[variants.a]\noptions = {poling = "max"}',
            "variants.a.options: unknown key 'poling'; did you mean 'pooling'?",
        ),
        (
            HEAD + '[variants.a]\noptions = {pooling = "avg"}',
            "variants.a.options.pooling: should be 'max' or 'average', not 'avg'; did you mean 'average'?",
        ),
        (HEAD + "[variants.a]\nrecipe = {epoch = 1}", "variants.a.recipe: unknown key 'epoch'; did you mean 'epochs'?"),
        (
            HEAD + "[variants.a]\nstart_from = 'b'\n[variants.b]",
            "variants.a.start_from: no variant 'b' above it; known: baseline",
        ),
        (
            HEAD + "[variants.'../a']",
            f"variants.../a: not a name for a variant: that has to be {NAMED}, and not 'baseline'",
        ),
        (HEAD + "[variants]\na = 3", "suite.variants.a: should be a table, not 3"),
    ],
)
def test_a_wrong_suite_gets_one_line(load, tmp_path, text, ending):
    """The line names the file, the key, and the mend."""
    with pytest.raises(SuiteError) as caught:
        load(text)
    assert str(caught.value).startswith(f"{tmp_path}/mine.toml: ")
    assert str(caught.value).endswith(ending)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ablation", "unknown suite 'ablation'; did you mean 'ablations'? (a path ends in .toml)"),
        ("nowhere/x.toml", "nowhere/x.toml: can't be read: No such file or directory"),
    ],
)
def test_an_unknown_suite_gets_one_line(name, message):
    """By name the nearest is named, by path the reason."""
    with pytest.raises(SuiteError) as caught:
        suites.load(name)
    assert str(caught.value) == message


def test_a_file_that_is_not_text_gets_one_line(tmp_path):
    """Bytes that are no UTF-8 are refused like any other fault."""
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SuiteError, match="not a TOML file"):
        suites.load(str(path))


def test_what_matters_is_a_tenth_of_a_point_unless_the_suite_says_otherwise(load):
    """The smallest effect that matters can be given, as a positive number."""
    assert load(HEAD).smallest_effect_pp == 0.1
    assert load("smallest_effect_pp = 0.3\n" + HEAD).smallest_effect_pp == 0.3
    with pytest.raises(SuiteError, match=r"suite\.smallest_effect_pp: should be greater than 0, not 0"):
        load("smallest_effect_pp = 0\n" + HEAD)


def test_the_null_suite_is_the_baseline_throughout():
    """Its variants differ in name and seeds alone, and no two share a seed."""
    null = suites.load("null")
    baseline, *others = null.variants
    assert {(v.architecture, str(v.options), str(v.recipe)) for v in others} == {
        (baseline.architecture, str(baseline.options), str(baseline.recipe))
    }
    seeds = {variant.seed_offset + seed for variant in null.variants for seed in range(null.seeds)}
    assert len(seeds) == null.seeds * len(null.variants)
