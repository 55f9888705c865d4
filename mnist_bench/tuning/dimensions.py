"""What can be drawn in a search: a value, one of several, a number between bounds, or a list of layers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from mnist_bench.errors import SpaceError
from mnist_bench.values import Flag, Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from optuna import Trial

__all__ = [
    "MOST_POINTS",
    "Choices",
    "Dimension",
    "Fixed",
    "Layers",
    "Parameters",
    "Range",
    "combinations",
    "joined",
    "merged",
]

MOST_POINTS = 100_000  # of a grid
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
            for widths in combinations(partial(self.width.points, f"{name}.{place}") for place in range(1, count + 1)):
                yield joined([(chosen, count), *widths]), [width for _, width in widths]

    def parameters(self, name: str, value: Any) -> Parameters | None:
        """What would be drawn where it comes to `value`; None if it can't."""
        if not isinstance(value, list | tuple):
            return None
        widths = [self.width.parameters(f"{name}.{place}", width) for place, width in enumerate(value, start=1)]
        return merged([self.layers.parameters(f"{name}.layers", len(value)), *widths])

    def extremes(self) -> list[Any]:
        """Lists of one of the extreme widths: how many are of them makes no list wrong."""
        for count in self.layers.extremes():
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                raise SpaceError(f"layers: should be numbers of layers, not {count!r}")
        return [[width] for width in self.width.extremes()]


Dimension = Fixed | Choices | Range | Layers


def combinations(dimensions: Iterable[Callable[[], Iterator[Point]]]) -> Iterator[tuple[Point, ...]]:
    """Every combination. `itertools.product` begins by holding all of each dimension, here more than anybody trains."""
    return itertools.product(*(itertools.islice(points(), MOST_POINTS + 1) for points in dimensions))


def merged(parts: Iterable[Parameters | None]) -> Parameters | None:
    """The parameters of several dimensions as one's; None if one of them has none."""
    whole: Parameters = {}
    for part in parts:
        if part is None:
            return None
        whole |= part
    return whole


def joined(points: Iterable[Point]) -> Parameters:
    """The parameters of several points as one's."""
    return {name: value for parameters, _ in points for name, value in parameters.items()}
