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
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from mnist_bench import architectures, experiments
from mnist_bench.errors import ArchitectureError, SpaceError
from mnist_bench.specs import Recipe
from mnist_bench.values import Flag, Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from optuna import Trial

__all__ = ["Choices", "Fixed", "Layers", "Range", "Space", "load_space"]

# The recipe's part of every space; a file may say otherwise.
_RECIPE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "batch_size": [25, 50, 100, 200],
}
_MOST_POINTS = 100_000  # of a grid
_ROUNDING, _DIGITS = 1e-9, 12  # Optuna steps in decimals: 0.1, 0.2, 0.3, not 0.30000000000000004

Number = StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]
Parameters = dict[str, Any]  # Optuna's
Point = tuple[Parameters, Any]  # parameters, and the value that they come to


class Fixed(Frozen):
    """One value, which is not drawn."""

    value: Any

    def draw(self, trial: Trial, name: str) -> Any:  # noqa: ARG002 - as the others
        """The value."""
        return self.value

    def points(self, name: str) -> Iterator[Point]:  # noqa: ARG002 - as the others
        """The value alone."""
        yield {}, self.value

    def parameters(self, name: str, value: Any) -> Parameters | None:  # noqa: ARG002 - as the others
        """None are drawn; None if `value` is another one."""
        return {} if value == self.value else None

    def extremes(self) -> list[Any]:
        """The value alone."""
        return [self.value]


class Choices(Frozen):
    """One of several values."""

    values: Annotated[tuple[StrictBool | StrictInt | StrictFloat | StrictStr, ...], Field(min_length=1)]

    def draw(self, trial: Trial, name: str) -> Any:
        """One of them, as the study's sampler likes."""
        return trial.suggest_categorical(name, self.values)

    def points(self, name: str) -> Iterator[Point]:
        """Each of them."""
        yield from (({name: value}, value) for value in self.values)

    def parameters(self, name: str, value: Any) -> Parameters | None:
        """What would be drawn where it comes to `value`; None if it can't."""
        return {name: value} if value in self.values else None

    def extremes(self) -> list[Any]:
        """All of them."""
        return [*self.values]


class Range(Frozen):
    """A number from `low` to `high`, both included: an integer if both are."""

    low: Number
    high: Number
    step: Number | None = None
    log: Flag = False  # as likely to lie between 1 and 10 as between 10 and 100

    @model_validator(mode="after")
    def _can_be_drawn_from(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low = {self.low} is above high = {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log = true takes a low above 0 and no step")
        if self.step is not None and (self.step <= 0 or (self._whole and not isinstance(self.step, int))):
            raise ValueError(f"step = {self.step} is no step from {self.low} to {self.high}")
        return self

    @property
    def _whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, trial: Trial, name: str) -> Any:
        """A number, as the study's sampler likes."""
        if self._whole:
            return trial.suggest_int(name, self.low, self.high, step=self.step or 1, log=self.log)  # type: ignore[arg-type]  # whole
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)

    def points(self, name: str) -> Iterator[Point]:
        """Every step of it; without one every integer, or every doubling where `log` is on.

        Raises:
            SpaceError: it is continuous.
        """
        if not self._whole and self.step is None:
            raise SpaceError(
                f"{name} is continuous, a grid can't have all of it: give it a list, or a step, by --space"
            )
        yield from (({name: value}, value) for value in self._values())

    def _values(self) -> Iterator[Any]:
        if self.log:
            doublings = (self.low * 2**power for power in itertools.count())
            yield from itertools.takewhile(lambda value: value < self.high, doublings)
            yield self.high
            return
        step = self.step or 1
        for index in range(math.floor((self.high - self.low) / step + _ROUNDING) + 1):
            value = self.low + step * index
            yield value if self._whole else round(value, _DIGITS)

    def parameters(self, name: str, value: Any) -> Parameters | None:
        """What would be drawn where it comes to `value`; None if it can't."""
        if isinstance(value, bool) or not isinstance(value, int if self._whole else int | float):
            return None
        if not self.low <= value <= self.high:
            return None
        steps = (value - self.low) / self.step if self.step is not None else 0
        return {name: value} if abs(steps - round(steps)) < _ROUNDING else None

    def extremes(self) -> list[Any]:
        """Its bounds."""
        return [self.low, self.high]


@dataclass(frozen=True)
class Layers:
    """A list, such as the widths of dense layers: how many, and each by itself."""

    layers: Fixed | Choices | Range
    width: Fixed | Choices | Range

    def draw(self, trial: Trial, name: str) -> list[Any]:
        """A list. Its parameters are `name.layers`, `name.1`, `name.2`, …, these only as far as it goes."""
        count = self.layers.draw(trial, f"{name}.layers")
        return [self.width.draw(trial, f"{name}.{place}") for place in range(1, count + 1)]

    def points(self, name: str) -> Iterator[Point]:
        """Every list."""
        for chosen, count in self.layers.points(f"{name}.layers"):
            for widths in _product(partial(self.width.points, f"{name}.{place}") for place in range(1, count + 1)):
                yield _joined([(chosen, count), *widths]), [width for _, width in widths]

    def parameters(self, name: str, value: Any) -> Parameters | None:
        """What would be drawn where it comes to `value`; None if it can't."""
        if not isinstance(value, list | tuple):
            return None
        widths = [self.width.parameters(f"{name}.{place}", width) for place, width in enumerate(value, start=1)]
        return _merged([self.layers.parameters(f"{name}.layers", len(value)), *widths])

    def extremes(self) -> list[Any]:
        """Lists of one of the extreme widths: how many are of them makes no list wrong."""
        for count in self.layers.extremes():
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                raise SpaceError(f"layers: should be numbers of layers, not {count!r}")
        return [[width] for width in self.width.extremes()]


Dimension = Fixed | Choices | Range | Layers


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
        """The architecture's default under the default recipe, as Optuna's parameters; None where it isn't in here."""
        options, recipe = architectures.resolve_options(self.architecture, {}, "options"), Recipe().model_dump()
        drawn = [dimension.parameters(name, options[name]) for name, dimension in self.options.items()]
        return _merged([*drawn, *(dimension.parameters(name, recipe[name]) for name, dimension in self.recipe.items())])

    def grid(self) -> list[Parameters]:
        """All points of it, as Optuna's parameters.

        Raises:
            SpaceError: there are infinitely many, or more than anybody will train.
        """
        dimensions = {**self.options, **self.recipe}
        product = _product(partial(dimension.points, name) for name, dimension in dimensions.items())
        points = [_joined(point) for point in itertools.islice(product, _MOST_POINTS + 1)]
        if len(points) > _MOST_POINTS:
            raise SpaceError(f"the grid has more than {_MOST_POINTS:,} points: narrow it by --space, or draw by tpe")
        return points


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


def _product(dimensions: Iterable[Callable[[], Iterator[Point]]]) -> Iterator[tuple[Point, ...]]:
    """Every combination. `itertools.product` begins by holding all of each dimension, here more than anybody trains."""
    return itertools.product(*(itertools.islice(points(), _MOST_POINTS + 1) for points in dimensions))


def _merged(parts: Iterable[Parameters | None]) -> Parameters | None:
    """The parameters of several dimensions as one's; None if one of them has none."""
    merged: Parameters = {}
    for part in parts:
        if part is None:
            return None
        merged |= part
    return merged


def _joined(points: Iterable[Point]) -> Parameters:
    """The parameters of several points as one's."""
    return {name: value for parameters, _ in points for name, value in parameters.items()}
