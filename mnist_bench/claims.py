"""Claims: `experiments/claims.toml`, what was published about these models, read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from mnist_bench import experiments
from mnist_bench.errors import ClaimsError, nearest
from mnist_bench.values import Count, Frozen, Positive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "DATASET",
    "AtLeast",
    "Below",
    "Better",
    "BetterBy",
    "Claim",
    "Figure",
    "Overfits",
    "Slower",
    "load",
]

DATASET = "mnist"  # what the claims are about

Words = Annotated[str, Field(strict=True, min_length=1)]
Percent = Annotated[float, Field(strict=True, gt=0, le=100)]


class _Claim(Frozen):
    says: Words  # the claim, in one sentence
    source: Words  # who published it
    suite: Words  # whose runs judge it
    why: str = ""  # why it may be that the runs contradict it


class _OfOne(_Claim):
    unit: ClassVar[str] = "percent"  # of the figure that judges it

    variant: Words

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants whose runs judge it."""
        return (self.variant,)


class _OfTwo(_Claim):
    unit: ClassVar[str] = "pp"  # of the figure that judges it

    better: Words
    worse: Words

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants whose runs judge it."""
        return (self.better, self.worse)


class Figure(_OfOne):
    """The test accuracy of a variant."""

    accuracy_percent: Percent
    tolerance_pp: Positive

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"{self.accuracy_percent:.2f}% (± {self.tolerance_pp:g} pp)"


class AtLeast(_OfOne):
    """A test accuracy that a variant reaches."""

    at_least_percent: Percent

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"at least {self.at_least_percent:g}%"


class Below(_OfOne):
    """A test accuracy that a variant does not reach."""

    below_percent: Percent

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"below {self.below_percent:g}%"


class Better(_OfTwo):
    """One variant has the higher test accuracy."""

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"{self.better} above {self.worse}"


class BetterBy(_OfTwo):
    """One variant has the higher test accuracy, by so much."""

    by_pp: Positive
    tolerance_pp: Positive

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"{self.better} above {self.worse} by {self.by_pp:g} pp (± {self.tolerance_pp:g} pp)"


class Slower(_Claim):
    """One variant needs more epochs to reach a validation accuracy."""

    unit: ClassVar[str] = "epochs"  # of the figure that judges it

    slower: Words
    faster: Words
    reach_percent: Percent

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants whose runs judge it."""
        return (self.slower, self.faster)

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"{self.slower} after {self.faster} at {self.reach_percent:g}% of validation accuracy"


class Overfits(_OfOne):
    """The validation loss of a variant is least at an epoch, and rises from there."""

    unit: ClassVar[str] = "epochs"  # of the figure that judges it

    epoch: Count
    tolerance_epochs: Positive

    @property
    def published(self) -> str:
        """What was published, in short."""
        return f"from epoch {self.epoch} (± {self.tolerance_epochs:g})"


Claim = Figure | AtLeast | Below | Better | BetterBy | Slower | Overfits

_KINDS: dict[str, type[Claim]] = {
    "figure": Figure,
    "at_least": AtLeast,
    "below": Below,
    "better": Better,
    "better_by": BetterBy,
    "slower": Slower,
    "overfits": Overfits,
}


def load(path: Path = experiments.CLAIMS) -> dict[str, Claim]:
    """The claims in a file, by name, in its order.

    Raises:
        ClaimsError: no TOML, or a key or value that can't be: one line that names file, key and mend.
    """
    raw = experiments.read_toml(path, ClaimsError)
    return {name: _read(table, f"{path}: {name}") for name, table in raw.items()}


def _read(raw: Any, where: str) -> Claim:
    if not isinstance(raw, dict):
        raise ClaimsError(f"{where}: should be a table, not {raw!r}")
    table = dict(raw)
    kind = str(table.pop("kind", ""))
    if kind not in _KINDS:
        raise ClaimsError(f"{where}.kind: {f'unknown kind {kind!r}' if kind else 'missing'}; {nearest(kind, _KINDS)}")
    _check_keys(table, kind, where)
    return _KINDS[kind].parse(table, where=where, error=ClaimsError)


def _check_keys(table: Mapping[str, Any], kind: str, where: str) -> None:
    """Refuse what is right in a claim of another kind: the nearest key of this kind would be no mend."""
    for key in table:
        owners = [other for other, model in _KINDS.items() if key in model.model_fields]
        if owners and kind not in owners:
            raise ClaimsError(
                f"{where}.{key}: a claim of kind {kind!r} has no such key; kind {' or '.join(owners)} has"
            )
