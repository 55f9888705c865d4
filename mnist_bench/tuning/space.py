"""Where a search looks: which options and which entries of the recipe are drawn, and from what.

Beside an architecture, and in a TOML file that narrows or replaces that, each is one of

    kernel = [3, 5]                                             one of these
    learning_rate = { low = 1e-4, high = 1e-2, log = true }     between two numbers, integers if both bounds are
    filters = { layers = { low = 1, high = 4 }, width = { low = 8, high = 64, log = true } }
                                                                a list: how many, and each by itself
    batch_norm = true                                           this, not drawn
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mnist_bench import architectures, experiments
from mnist_bench.errors import ArchitectureError, SpaceError
from mnist_bench.specs import Recipe
from mnist_bench.tuning.dimensions import (
    MOST_POINTS,
    Choices,
    Dimension,
    Fixed,
    Layers,
    Parameters,
    Range,
    combinations,
    joined,
    merged,
)
from mnist_bench.values import Flag, Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna import Trial

__all__ = ["Space", "load_space"]

# The recipe's part of every space; a file may say otherwise.
_RECIPE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "batch_size": [25, 50, 100, 200],
}


@dataclass(frozen=True)
class Space:
    """The search space of an architecture: its options and the recipe's entries, by name."""

    architecture: str
    options: Mapping[str, Dimension]
    recipe: Mapping[str, Dimension]
    raw: Mapping[str, Any]  # both as they were written: what tells two spaces apart

    def suggest(self, trial: Trial) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draw from it, as the study's sampler likes: options of the architecture, and entries of the recipe."""
        options = {name: dimension.draw(trial, name) for name, dimension in self.options.items()}
        return options, {name: dimension.draw(trial, name) for name, dimension in self.recipe.items()}

    def default(self) -> Parameters | None:
        """The architecture's default under the default recipe, as Optuna's parameters; None where it isn't in here.

        Whatever part is held out, since that is what trials are judged by.
        """
        options, recipe = architectures.resolve_options(self.architecture, {}, "options"), Recipe().model_dump()
        drawn = [dimension.parameters(name, options[name]) for name, dimension in self.options.items()]
        trained = {name: dimension for name, dimension in self.recipe.items() if name != "validation"}
        return merged([*drawn, *(dimension.parameters(name, recipe[name]) for name, dimension in trained.items())])

    def grid(self) -> list[Parameters]:
        """All points of it, as Optuna's parameters.

        Raises:
            SpaceError: there are infinitely many, or more than anybody will train.
        """
        dimensions = {**self.options, **self.recipe}
        points = combinations(partial(dimension.points, name) for name, dimension in dimensions.items())
        grid = [joined(point) for point in itertools.islice(points, MOST_POINTS + 1)]
        if len(grid) > MOST_POINTS:
            raise SpaceError(f"the grid has more than {MOST_POINTS:,} points: narrow it by --space, or draw by tpe")
        return grid


class _SpaceFile(Frozen):
    replace: Flag = False  # whether what the file doesn't name stays at its default, instead of being drawn as usual
    options: dict[str, Any] = Field(default_factory=dict)
    recipe: dict[str, Any] = Field(default_factory=dict)


def load_space(architecture: str, path: Path | None = None) -> Space:
    """The space beside an architecture, with the recipe's; narrowed or replaced by a TOML file where one is given.

    Raises:
        SpaceError: no such file, no TOML, or a key or value that can't be: one line that names file, key and mend.
        ArchitectureError: no such architecture.
    """
    registered = architectures.get(architecture)
    where = f"{path}: " if path else f"{architecture}'s search space: "
    raw = experiments.read_toml(path, SpaceError) if path else {}
    file = _SpaceFile.parse(raw, where=f"{where}space", error=SpaceError)
    options = {**({} if file.replace else registered.search), **file.options}
    recipe = {**({} if file.replace else _RECIPE), **file.recipe}
    space = Space(
        architecture,
        {name: _dimension(value, f"{where}options.{name}") for name, value in options.items()},
        {name: _dimension(value, f"{where}recipe.{name}") for name, value in recipe.items()},
        {"options": options, "recipe": recipe},
    )
    _check(space, where)
    return space


def _dimension(raw: Any, where: str) -> Dimension:
    """What is drawn, by how it is written."""
    if isinstance(raw, dict) and raw.keys() & {"layers", "width"}:
        if raw.keys() != {"layers", "width"}:
            raise SpaceError(f"{where}: should have the keys 'layers' and 'width', not {', '.join(raw)}")
        parts = {name: _dimension(value, f"{where}.{name}") for name, value in raw.items()}
        if any(isinstance(part, Layers) for part in parts.values()):
            raise SpaceError(f"{where}: layers have no layers of their own")
        return Layers(**parts)  # type: ignore[arg-type]  # seen above
    if isinstance(raw, dict) and raw.keys() & Range.model_fields.keys():
        return Range.parse(raw, where=where, error=SpaceError)
    if isinstance(raw, list):
        return Choices.parse({"values": raw}, where=where, error=SpaceError)
    return Fixed(value=raw)


def _check(space: Space, where: str) -> None:
    """Refuse what can't be trained, before anything is."""
    if "epochs" in space.recipe:
        raise SpaceError(f"{where}recipe.epochs: is the same for all trials: say it by --epochs")
    if "validation" in space.recipe and not isinstance(space.recipe["validation"], Fixed):
        raise SpaceError(f"{where}recipe.validation: should be one value: trials are compared on the same images")
    for name, dimension in space.options.items():
        for value in _extremes(dimension, f"{where}options.{name}"):
            try:
                architectures.resolve_options(space.architecture, {name: value}, f"{where}options")
            except ArchitectureError as error:
                raise SpaceError(str(error)) from error
    for name, dimension in space.recipe.items():
        for value in _extremes(dimension, f"{where}recipe.{name}"):
            recipe = Recipe.parse({name: value}, where=f"{where}recipe", error=SpaceError)
            if not recipe.validation:
                raise SpaceError(f"{where}recipe.validation: should be above 0: trials are judged by what is held out")


def _extremes(dimension: Dimension, where: str) -> list[Any]:
    try:
        return dimension.extremes()
    except SpaceError as fault:
        raise SpaceError(f"{where}.{fault}") from None
