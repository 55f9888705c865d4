"""Suites: `experiments/*.toml`, read, checked and resolved, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mnist_bench import architectures, experiments
from mnist_bench.errors import ArchitectureError, SuiteError, nearest
from mnist_bench.specs import Recipe
from mnist_bench.values import NAME, NAMED, Count, Frozen, Positive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BASELINE", "Suite", "Variant", "load", "names"]

BASELINE = "baseline"


class _VariantTable(Frozen):
    """A variant as its author writes it: what it says over the baseline."""

    question: str = ""
    architecture: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    recipe: dict[str, Any] = Field(default_factory=dict)
    start_from: str | None = None
    seed_offset: Annotated[int, Field(strict=True, ge=0)] = 0


class _SuiteFile(Frozen):
    question: str
    cost: str
    seeds: Count = 10
    smallest_effect_pp: Positive = 0.1
    baseline: Annotated[dict[str, Any], Field(min_length=1)]
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """An architecture with all its options, and a recipe.

    `start_from` is the variant whose weights it starts from. `seed_offset` is added to each seed, so that a variant
    which is the baseline under another name draws other luck.
    """

    name: str
    question: str
    architecture: str
    options: Mapping[str, Any]
    recipe: Recipe
    start_from: str | None = None
    seed_offset: int = 0


@dataclass(frozen=True)
class Suite:
    """A question, the variants that answer it (the baseline first), and over how many seeds.

    `smallest_effect_pp` is the smallest difference in test accuracy that matters, in percentage points.
    """

    name: str
    question: str
    cost: str
    seeds: int
    smallest_effect_pp: float
    variants: tuple[Variant, ...]

    def __getitem__(self, name: str) -> Variant:
        """The variant called `name`.

        Raises:
            SuiteError: there is none.
        """
        known = {variant.name: variant for variant in self.variants}
        if name not in known:
            raise SuiteError(f"suite {self.name} has no variant {name!r}; {nearest(name, known)}")
        return known[name]


def names() -> list[str]:
    """The names of the suites in `experiments/`, sorted."""
    return sorted(path.stem for path in experiments.FOLDER.glob("*.toml") if path != experiments.CLAIMS)


def load(name_or_path: str, *, epochs: int | None = None) -> Suite:
    """The suite of that name, or in that file; `epochs` overrides every recipe's.

    Raises:
        SuiteError: no such suite, no TOML, or a key or value that can't be: one line that names file, key and mend.
    """
    path = _find(name_or_path)
    if not NAME.fullmatch(path.stem):
        raise SuiteError(f"{path}: a suite is named after its file, so that has to be {NAMED}")
    raw = experiments.read_toml(path, SuiteError)
    file = _SuiteFile.parse(raw, where=f"{path}: suite", error=SuiteError)
    baseline = _resolve(BASELINE, file.baseline, None, f"{path}: {BASELINE}", epochs)
    variants = [baseline]
    for name, table in file.variants.items():
        where = f"{path}: variants.{name}"
        if name == BASELINE or not NAME.fullmatch(name):
            raise SuiteError(f"{where}: not a name for a variant: that has to be {NAMED}, and not {BASELINE!r}")
        variants.append(_resolve(name, table, baseline, where, epochs))
    _check_starts(variants, path)
    return Suite(path.stem, file.question, file.cost, file.seeds, file.smallest_effect_pp, tuple(variants))


def _find(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) > 1:
        return path
    if name_or_path not in names():
        raise SuiteError(f"unknown suite {name_or_path!r}; {nearest(name_or_path, names())} (a path ends in .toml)")
    return experiments.FOLDER / f"{name_or_path}.toml"


def _resolve(name: str, raw: Mapping[str, Any], baseline: Variant | None, where: str, epochs: int | None) -> Variant:
    """A variant in full: what its table leaves out comes from the baseline, or else from the defaults."""
    table = _VariantTable.parse(raw, where=where, error=SuiteError)
    architecture = table.architecture or (baseline.architecture if baseline else None)
    if architecture is None:
        raise SuiteError(f"{where}.architecture: missing; {nearest('', architectures.names())}")
    same = baseline is not None and architecture == baseline.architecture
    try:
        given = {**(baseline.options if baseline and same else {}), **table.options}
        options = architectures.resolve_options(architecture, given, f"{where}.options")
    except ArchitectureError as error:
        message = str(error)
        raise SuiteError(message if message.startswith(where) else f"{where}.architecture: {message}") from error
    recipe = {**(baseline.recipe.model_dump(exclude_unset=True) if baseline else {}), **table.recipe}
    if epochs is not None:
        recipe["epochs"] = epochs
    return Variant(
        name,
        table.question,
        architecture,
        options,
        Recipe.parse(recipe, where=f"{where}.recipe", error=SuiteError),
        table.start_from,
        table.seed_offset,
    )


def _check_starts(variants: Sequence[Variant], path: Path) -> None:
    """A variant starts from one that stands above it, so that none waits for itself."""
    above: list[str] = []
    for variant in variants:
        if variant.start_from is not None and variant.start_from not in above:
            where = f"{path}: variants.{variant.name}.start_from"
            raise SuiteError(
                f"{where}: no variant {variant.start_from!r} above it; {nearest(variant.start_from, above)}"
            )
        above.append(variant.name)
