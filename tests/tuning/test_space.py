"""Search spaces: what is drawn from them, and how a wrong one is told."""

from __future__ import annotations

import optuna
import pytest

from mnist_bench import architectures
from mnist_bench.errors import ArchitectureError, SpaceError
from mnist_bench.specs import Recipe
from mnist_bench.tuning.dimensions import Choices, Fixed, Layers, Range
from mnist_bench.tuning.space import load_space


def draws(space, count=40):
    """What a random sampler draws from a space: parameters, options and recipe, so many times."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(count):
        trial = study.ask()
        options, recipe = space.suggest(trial)
        yield trial.params, options, recipe


def written(tmp_path, text):
    path = tmp_path / "space.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", architectures.names())
def test_every_architecture_has_a_space_that_can_be_trained(name):
    """Whatever is drawn from it are options of the architecture and entries of a recipe."""
    for _, options, recipe in draws(load_space(name), 10):
        architectures.resolve_options(name, options, "drawn")
        Recipe.parse(recipe, where="drawn", error=SpaceError)


@pytest.mark.parametrize("name", architectures.names())
def test_no_option_is_named_like_an_entry_of_the_recipe(name):
    """The two share Optuna's names."""
    assert not architectures.get(name).options.model_fields.keys() & Recipe.model_fields.keys()


def test_numbers_and_widths_of_layers_are_searched():
    """Of convnet and mlp each layer has a width of its own, and there is one parameter a layer and no more."""
    for name, lists in {"convnet": ("filters", "widths"), "mlp": ("widths",)}.items():
        seen = set()
        for params, options, _ in draws(load_space(name)):
            for layered in lists:
                widths = [params[f"{layered}.{place}"] for place in range(1, params[f"{layered}.layers"] + 1)]
                assert options[layered] == widths
                assert f"{layered}.{len(widths) + 1}" not in params
                seen.add((layered, len(widths)))
        assert len(seen) >= 3 * len(lists)


def test_a_file_narrows_the_space(tmp_path):
    """What it names is drawn from what it says, or held; the rest is drawn as before."""
    path = written(tmp_path, "[options]\nkernel = [7]\nbatch_norm = true\n[recipe]\nbatch_size = {low = 10, high = 20}")
    for params, options, recipe in draws(load_space("convnet", path)):
        assert (options["kernel"], options["batch_norm"]) == (7, True)
        assert "batch_norm" not in params
        assert 10 <= recipe["batch_size"] <= 20
        assert {"filters.layers", "learning_rate"} <= params.keys()


def test_a_file_replaces_the_space(tmp_path):
    """With `replace = true` nothing but what it names is drawn."""
    path = written(tmp_path, "replace = true\n[options]\ndropout = {low = 0.0, high = 0.4, step = 0.2}")
    drawn = [*draws(load_space("convnet", path))]
    assert {params.keys() == {"dropout"} for params, _, _ in drawn} == {True}
    assert {options["dropout"] for _, options, _ in drawn} == {0.0, 0.2, 0.4}
    assert [recipe for _, _, recipe in drawn] == [{}] * len(drawn)


def test_a_recipe_may_be_fixed_by_tables(tmp_path):
    """What a recipe says in a table, a space can hold fast."""
    path = written(tmp_path, "[recipe]\nearly_stopping = {patience = 2}\noptimizer = ['adam', 'sgd']")
    _, _, recipe = next(draws(load_space("mlp", path)))
    assert recipe["early_stopping"] == {"patience": 2}


def test_a_grid_has_every_point_once(tmp_path):
    """Lists by their number of layers, integers one by one or doubled, numbers by their steps."""
    path = written(
        tmp_path,
        "replace = true\n[options]\nwidths = {layers = [0, 2], width = {low = 8, high = 40, log = true}}\n"
        "kernel = {low = 1, high = 3}\ndropout = {low = 0.1, high = 0.3, step = 0.1}",
    )
    grid = load_space("convnet", path).grid()
    widths = [8, 16, 32, 40]
    assert len(grid) == len({tuple(sorted(point.items())) for point in grid}) == (1 + len(widths) ** 2) * 3 * 3
    assert {point.get("widths.1", 8) for point in grid} == set(widths)
    assert {point["kernel"] for point in grid} == {1, 2, 3}
    assert {point["dropout"] for point in grid} == {0.1, 0.2, 0.3}


def test_every_point_of_a_grid_can_be_drawn(tmp_path):
    """Optuna takes each as it is, and draws nothing beside it."""
    path = written(
        tmp_path,
        "replace = true\n[options]\nfilters = {layers = {low = 1, high = 2}, width = [8, 9]}\n"
        "dropout = {low = 0.1, high = 0.7, step = 0.1}\n[recipe]\noptimizer = ['adam', 'sgd']",
    )
    space = load_space("convnet", path)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for point in space.grid():
        study.enqueue_trial(point)
        trial = study.ask()
        space.suggest(trial)
        assert trial.params == point


@pytest.mark.parametrize("name", architectures.names())
def test_every_architectures_default_is_in_its_space(name):
    """Optuna takes it as it is, and what is drawn by it is the default."""
    space = load_space(name)
    study = optuna.create_study()
    study.enqueue_trial(space.default())
    options, recipe = space.suggest(study.ask())
    assert architectures.resolve_options(name, options, "drawn") == architectures.resolve_options(name, {}, "default")
    assert Recipe.parse(recipe, where="drawn", error=SpaceError) == Recipe()


@pytest.mark.parametrize(
    "text",
    [
        "[options]\nwidths = {layers = {low = 2, high = 3}, width = {low = 8, high = 512}}",
        "[options]\nwidths = {layers = [1], width = {low = 8, high = 64}}",
        "[options]\nwidths = {layers = [1], width = 64}",
        "[options]\nkernel = [5, 7]",
        "[options]\nbatch_norm = true",
        "[options]\ndropout = {low = 0.0, high = 0.5, step = 0.15}",
        "[recipe]\nlearning_rate = {low = 2e-3, high = 1e-2}",
        "[recipe]\nbatch_size = {low = 32, high = 96, step = 32}",
    ],
)
def test_a_default_may_lie_outside(tmp_path, text):
    """Above, below, between the steps, or not among the values: it can't be drawn then."""
    assert load_space("convnet", written(tmp_path, text)).default() is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[options]\nwidths = {layers = 1, width = 8}", "learning_rate is continuous"),
        ("[options]\nwidths = {layers = 6, width = {low = 1, high = 99}}", "has more than 100,000 points"),
        ("[options]\nwidths = {layers = 1, width = {low = 1, high = 999_999_999}}", "has more than 100,000 points"),
    ],
)
def test_a_grid_without_end_is_refused(tmp_path, text, fault):
    """A continuous range, or more points than anybody trains, gets one line, at once."""
    replace = "replace = true\n" if "points" in fault else ""
    with pytest.raises(SpaceError, match=fault):
        load_space("mlp", written(tmp_path, replace + text)).grid()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[option]", "space: unknown key 'option'; did you mean 'options'?"),
        ("[options]\nkernl = [3]", "options: unknown key 'kernl'; did you mean 'kernel'?"),
        ("[options]\nkernel = [3, 0]", "options.kernel: should be greater than or equal to 1, not 0"),
        ("[options]\nkernel = []", "options.kernel.values: Tuple should have at least 1 item after validation, not 0"),
        ("[options]\ndropout = {low = 0, high = 1.5}", "options.dropout: should be less than 1, not 1.5"),
        ("[options]\ndropout = {low = 0.5, high = 0.1}", "options.dropout: low = 0.5 is above high = 0.1"),
        ("[options]\ndropout = {low = 0.5}", "options.dropout.high: missing"),
        ("[options]\ndropout = {low = 0, high = 0.5, log = true}", "options.dropout: log = true takes a low above 0"),
        ("[options]\nkernel = {low = 1, high = 5, step = 0.5}", "options.kernel: step = 0.5 is no step from 1 to 5"),
        ("[options]\nwidths = {layers = 2}", "options.widths: should have the keys 'layers' and 'width', not layers"),
        (
            "[options]\nwidths = {layers = 1.5, width = 8}",
            "options.widths.layers: should be numbers of layers, not 1.5",
        ),
        ("[options]\nwidths = {layers = 2, width = [8, 0]}", "options.widths.0: should be greater than or equal to 1"),
        ("[recipe]\nbatch_size = [0]", "recipe.batch_size: should be greater than or equal to 1, not 0"),
        ("[recipe]\nepochs = [3, 5]", "recipe.epochs: is the same for all trials: say it by --epochs"),
        ("[recipe]\nvalidation = [0.1, 0.2]", "recipe.validation: should be one value"),
        ("[recipe]\nvalidation = 0", "recipe.validation: should be above 0"),
        ("[", "not a TOML file"),
    ],
)
def test_a_wrong_space_gets_one_line(tmp_path, text, fault):
    """The line names the file, the key, and what may stand there."""
    path = written(tmp_path, text)
    with pytest.raises(SpaceError) as caught:
        load_space("convnet", path)
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_architecture_gets_one_line():
    """As everywhere else, with the nearest right name."""
    with pytest.raises(ArchitectureError, match="did you mean 'convnet'"):
        load_space("convnt")


def test_dimensions_are_told_by_how_they_are_written(tmp_path):
    """A list, a table of bounds, a table of layers, and anything else."""
    path = written(tmp_path, "[options]\nkernel = [3]\nbatch_norm = false")
    options = load_space("convnet", path).options
    kinds = {"kernel": Choices, "dropout": Range, "filters": Layers, "batch_norm": Fixed}
    assert {name: type(options[name]) for name in kinds} == kinds
