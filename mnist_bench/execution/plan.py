"""Which runs a suite comes to, and which of them are done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_bench import data, processor, tracking
from mnist_bench.errors import DataError
from mnist_bench.execution.code import code_of
from mnist_bench.specs import DatasetRef, RunSpec
from mnist_bench.suites import BASELINE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mnist_bench.data import Dataset
    from mnist_bench.suites import Suite, Variant

__all__ = ["Plan", "make_plan", "single_run"]


@dataclass(frozen=True)
class Plan:
    """A suite on a dataset, resolved into runs: seeds outermost, so that an interrupted suite holds whole rounds."""

    suite: Suite
    dataset: Dataset
    runs: tuple[RunSpec, ...]
    variant_keys: Mapping[str, str]  # of all the suite's variants, by name
    looks: tuple[int, ...]  # the numbers of seeds at which one looks at the results, the last being the most planned

    @property
    def edition(self) -> str:
        """A digest of the suite as it stands, on this dataset: what is recorded under one edition can be compared."""
        return hashlib.sha256("".join(self.variant_keys.values()).encode()).hexdigest()[:16]

    def todo(self, finished: Collection[tuple[str, str]]) -> tuple[RunSpec, ...]:
        """The runs that are not among `finished`, pairs of a variant's name and a run key."""
        return tuple(run for run in self.runs if (run.variant, run.key) not in finished)

    def agenda(self) -> tracking.Agenda:
        """What is noted of it on MLflow's parent runs."""
        return tracking.Agenda(
            runs=self.runs,
            members=self.variant_keys,
            edition=self.edition,
            baseline=BASELINE,
            question=self.suite.question,
            questions={variant.name: variant.question for variant in self.suite.variants},
            seed_offsets={variant.name: variant.seed_offset for variant in self.suite.variants},
            smallest_effect_pp=self.suite.smallest_effect_pp,
            looks=self.looks,
        )


def make_plan(
    suite: Suite, dataset: Dataset, *, seeds: int | None = None, only: Sequence[str] = (), looks: Sequence[int] = ()
) -> Plan:
    """Resolve a suite.

    Args:
        suite: what to run.
        dataset: on what.
        seeds: how many, instead of the suite's number.
        looks: the numbers of seeds at which one looks at the results; otherwise once, at the end.
        only: names of variants, where not all are wanted.

    Raises:
        SuiteError: `only` names a variant that the suite does not have.
        DataError: the dataset can't be split as a recipe says.
    """
    wanted = {suite[name].name for name in only} or {variant.name for variant in suite.variants}
    cuts = {variant.recipe.validation: _cut(variant, dataset) for variant in suite.variants}
    seeds = seeds or suite.seeds
    rounds = [_specs(suite, dataset, cuts, seed) for seed in range(seeds)]
    return Plan(
        suite=suite,
        dataset=dataset,
        runs=tuple(spec for specs in rounds for spec in specs if spec.variant in wanted),
        variant_keys={spec.variant: spec.variant_key for spec in rounds[0]},
        looks=tuple(looks) or (seeds,),
    )


def single_run(suite: str, variant: Variant, dataset: Dataset, seed: int) -> RunSpec:
    """One run outside any plan.

    Raises:
        DataError: the dataset can't be split as its recipe says.
    """
    return _spec(suite, variant, _ref(dataset, _cut(variant, dataset)), seed, None)


def _ref(dataset: Dataset, cut: str) -> DatasetRef:
    described = {"name": dataset.name, "digest": dataset.digest, "split": cut}
    return DatasetRef.parse(described, where="dataset", error=DataError)


def _cut(variant: Variant, dataset: Dataset) -> str:
    try:
        return data.split(dataset.train_labels, variant.recipe.validation).digest
    except DataError as error:
        raise DataError(f"{variant.name}, recipe.validation: {error}") from error


def _specs(suite: Suite, dataset: Dataset, cuts: Mapping[float, str], seed: int) -> list[RunSpec]:
    """One round: every variant with one seed."""
    specs: dict[str, RunSpec] = {}
    for variant in suite.variants:
        start = specs[variant.start_from] if variant.start_from else None  # it stands above: the suite was checked
        ref = _ref(dataset, cuts[variant.recipe.validation])
        specs[variant.name] = _spec(suite.name, variant, ref, seed, start)
    return list(specs.values())


def _spec(suite: str, variant: Variant, dataset: DatasetRef, seed: int, start: RunSpec | None) -> RunSpec:
    recipe = variant.recipe
    if recipe.precision == "auto":
        precision = "bfloat16" if processor.computes_in_bfloat16() else "float32"
        recipe = recipe.model_copy(update={"precision": precision})
    return RunSpec(
        suite=suite,
        variant=variant.name,
        architecture=variant.architecture,
        options=dict(variant.options),
        recipe=recipe,
        dataset=dataset,
        seed=seed + variant.seed_offset,
        code=code_of(variant.architecture),
        start_from=start,
    )
