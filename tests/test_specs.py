"""The run key, and what a recipe may say."""

from __future__ import annotations

import pytest
from made_up import run_spec

from mnist_bench.errors import SuiteError
from mnist_bench.specs import Recipe, RunSpec


@pytest.mark.parametrize("label", ["suite", "variant"])
def test_labels_are_no_part_of_the_run_key(label):
    """A run that is renamed is the same run."""
    assert run_spec(**{label: "another"}).key == run_spec().key


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "lenet5"},
        {"options": {"widths": [9]}},
        {"epochs": 3},
        {"learning_rate": 0.01},
        {"augment": {"rotation_degrees": 1}},
        {"validation": 0.2},
        {"start_from": run_spec()},
    ],
    ids=str,
)
def test_whatever_decides_the_result_is_part_of_both_keys(change):
    """Another option, recipe or start is another variant, and another run."""
    assert run_spec(**change).key != run_spec().key
    assert run_spec(**change).variant_key != run_spec().variant_key


@pytest.mark.parametrize("part", ["tensorflow", "keras", "data", "training", "architecture"])
def test_code_is_part_of_the_run_key(part):
    """A run by other code, or another version, is another run."""
    spec = run_spec()
    changed = spec.model_copy(update={"code": spec.code.model_copy(update={part: "other"})})
    assert changed.key != spec.key


@pytest.mark.parametrize(("part", "same"), [("name", True), ("digest", False), ("split", False)])
def test_data_is_known_by_its_digests(part, same):
    """A dataset's name is a label; its arrays and its cut are part of the key."""
    spec = run_spec()
    changed = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={part: "other"})})
    assert (changed.key == spec.key) is same


def test_seeds_share_the_variant_key_alone():
    """Two seeds of a variant are two runs of one variant, also where they start from two seeds of another."""
    one, two = (run_spec(seed=seed, start_from=run_spec(seed=seed)) for seed in (1, 2))
    assert one.key != two.key
    assert one.variant_key == two.variant_key


def test_a_spec_survives_json():
    """What is recorded of a run can be read back whole."""
    spec = run_spec(start_from=run_spec(seed=3), early_stopping={"patience": 2})
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": 3}, "f: recipe: unknown key 'epoch'; did you mean 'epochs'?"),
        ({"epochs": "3"}, "f: recipe.epochs: should be an integer, not '3'"),
        ({"epochs": True}, "f: recipe.epochs: should be an integer, not True"),
        ({"batch_size": 0}, "f: recipe.batch_size: should be greater than or equal to 1, not 0"),
        ({"learning_rate": float("nan")}, "f: recipe.learning_rate: should be a finite number, not nan"),
        (
            {"optimizer": "adamm"},
            "f: recipe.optimizer: should be 'adam', 'adamw' or 'sgd', not 'adamm'; did you mean 'adam'?",
        ),
        ({"validation": 1.5}, "f: recipe.validation: should be less than 1, not 1.5"),
        ({"validation": -1}, "f: recipe.validation: should be greater than or equal to 0, not -1"),
        ({"augment": {"rotation": 3}}, "f: recipe.augment: unknown key 'rotation'; did you mean 'rotation_degrees'?"),
        (
            {"early_stopping": {"patience": 0}},
            "f: recipe.early_stopping.patience: should be greater than or equal to 1, not 0",
        ),
        ({"early_stopping": 3}, "f: recipe.early_stopping: should be a table, not 3"),
        (
            {"validation": 0, "early_stopping": {}},
            "f: recipe: early stopping watches val_loss, but validation = 0 holds nothing out",
        ),
    ],
    ids=str,
)
def test_a_wrong_recipe_gets_one_line(given, message):
    """The line names the key, the fault, and for an unknown key the nearest right one."""
    with pytest.raises(SuiteError) as caught:
        Recipe.parse(given, where="f: recipe", error=SuiteError)
    assert str(caught.value) == message
