"""Frozen values read from a user's file: strict types, and faults told in one line."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mnist_bench.errors import MnistBenchError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

__all__ = ["NAME", "NAMED", "Count", "Flag", "Fraction", "Frozen", "Name", "Positive", "flat"]

# Strict: `true` is no integer and "10" no number, as the reader of a TOML file would expect.
Count = Annotated[int, Field(strict=True, ge=1)]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]

# A name becomes part of MLflow's names and of paths: none that is hidden, leads elsewhere, or is too long for a file.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
NAMED = "up to 60 letters, digits, '_', '.' and '-', the first a letter or digit"
Name = Annotated[str, Field(pattern=rf"\A{NAME.pattern}\z")]


# What pydantic calls a thing, and what TOML calls it.
_IN_TOML = {
    r"a valid dictionary( or instance of \w+)?": "a table",
    "a valid (tuple|list)": "a list",
    "a valid (?=[aeiou])": "an ",
    "a valid ": "a ",
}


class Frozen(BaseModel):
    """A value: immutable, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, where: str, error: type[MnistBenchError]) -> Self:
        """The value that `data` describes; `where`, as `file: table`, begins the line that tells a fault.

        Raises:
            error: in one line, the key, the fault, and for an unknown key the nearest right one.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as invalid:
            # The last fault: where several kinds are allowed (`validation`) it is the most general.
            path, fault = _describe(cls, data, invalid.errors(include_url=False)[-1])
            raise error(f"{where}{'.' if path else ''}{path}: {fault}") from None


def _describe(model: type[BaseModel], data: Any, fault: ErrorDetails) -> tuple[str, str]:
    """The dotted path of a fault within `data`, and what is wrong there."""
    path = list(fault["loc"])
    for step in path[:-1]:
        model = _field_model(model, step)
    if fault["type"] == "extra_forbidden":
        return ".".join(map(str, path[:-1])), f"unknown key {path[-1]!r}; {nearest(str(path[-1]), model.model_fields)}"
    if fault["type"] == "missing":
        return ".".join(map(str, path)), "missing"
    value, known = data, []
    for step in path:  # a union's own steps, such as 'int', are no keys of the data
        if (isinstance(value, dict) and step in value) or isinstance(value, list):
            value = value[step]  # type: ignore[index]  # of a list, pydantic gives its index
            known.append(str(step))
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    for pydantics, tomls in _IN_TOML.items():
        message = re.sub(pydantics, tomls, message)
    if fault["type"] == "literal_error" and isinstance(value, str):
        close = difflib.get_close_matches(value, re.findall(r"'([^']*)'", message), n=1)
        return ".".join(known), f"{message}, not {value!r}" + "".join(f"; did you mean {word!r}?" for word in close)
    return ".".join(known), f"{message}, not {value!r}" if known else message


def _field_model(model: type[BaseModel], name: str | int) -> type[BaseModel]:
    """The model within a field's annotation, such as `EarlyStopping | None`; `model` itself where there is none."""
    field = model.model_fields.get(str(name))
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), model)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by dotted name: `recipe.augment.rotation_degrees`."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
