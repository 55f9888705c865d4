"""A study: what it searches for, and what is kept of each trial."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from optuna.trial import TrialState
from pydantic import ValidationError

from mnist_bench import architectures
from mnist_bench.data import split
from mnist_bench.errors import StudyError
from mnist_bench.execution.plan import single_run
from mnist_bench.specs import Recipe
from mnist_bench.suites import BASELINE, Variant
from mnist_bench.tracking.outbox import as_plain, from_plain
from mnist_bench.tuning.dimensions import Fixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunResult, RunSpec
    from mnist_bench.tuning.space import Space

__all__ = [
    "IDENTITY",
    "OBJECTIVES",
    "RESULT",
    "RUN_KEY",
    "SAME_AS",
    "SEED",
    "SETTINGS",
    "Subject",
    "Tried",
    "counts",
    "keep",
    "state_of",
    "told",
    "tried",
    "values",
]

OBJECTIVES: dict[str, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "parameters": "minimize",
    "seconds": "minimize",
}

# The seed of every trial: what is compared shares its luck as far as it can, and what is drawn twice is the same run.
SEED = 0

# User attributes: of the study, what it searches for and an identity; of a trial, the digest of what it trains, what
# came of it, and the trial that it repeats.
SETTINGS, IDENTITY = "search", "identity"
RUN_KEY, RESULT, SAME_AS = "run_key", "result", "same_as"


@dataclass(frozen=True)
class Subject:
    """What a study searches for: options and recipe from `space`, on `dataset`, in so many epochs, by `objectives`.

    The first objective is validation accuracy.

    Raises:
        DataError: the dataset has no such validation part as the space holds out.
    """

    study: str
    space: Space
    dataset: Dataset
    epochs: int
    objectives: tuple[str, ...] = ("accuracy",)

    def __post_init__(self) -> None:
        """Refuse what couldn't be judged, before a study of that name is made."""
        _ = self.validation_images

    def variant(self, name: str, options: Mapping[str, Any], recipe: Mapping[str, Any]) -> Variant:
        """What is drawn in full: defaults filled in."""
        architecture = self.space.architecture
        return Variant(
            name=name,
            question="",
            architecture=architecture,
            options=architectures.resolve_options(architecture, options, f"{name}: options"),
            recipe=Recipe.parse({"epochs": self.epochs, **recipe}, where=f"{name}: recipe", error=StudyError),
        )

    def run(self, number: int, options: Mapping[str, Any], recipe: Mapping[str, Any]) -> RunSpec:
        """The run that a trial is."""
        return single_run(self.study, self.variant(f"trial_{number}", options, recipe), self.dataset, SEED)

    def is_default(self, trial: Tried) -> bool:
        """Whether a trial is the architecture's default under the default recipe."""
        spec, default = trial.result.spec, self._default_run  # whose code may have changed since
        return spec.options == default.options and spec.recipe == default.recipe

    @functools.cached_property
    def _default_run(self) -> RunSpec:
        return single_run(self.study, self.default, self.dataset, SEED)

    @functools.cached_property
    def default(self) -> Variant:
        """The architecture's default under the default recipe, judged by the images that trials are judged by."""
        held = self.space.recipe.get("validation")
        return self.variant(BASELINE, {}, {"validation": held.value} if isinstance(held, Fixed) else {})

    @functools.cached_property
    def validation_images(self) -> int:
        """How many images trials are judged by."""
        return len(split(self.dataset.train_labels, self.default.recipe.validation).validation)

    @property
    def directions(self) -> list[Literal["maximize", "minimize"]]:
        """Which way each objective is better."""
        return [OBJECTIVES[objective] for objective in self.objectives]

    def settings(self) -> dict[str, Any]:
        """What all trials of a study share, as plain JSON values."""
        return {
            "architecture": self.space.architecture,
            "dataset": self.dataset.name,
            "data_digest": self.dataset.digest,
            "epochs": self.epochs,
            "objectives": ", ".join(self.objectives),
            "space": self.space.raw,
        }


@dataclass(frozen=True)
class Tried:
    """A trial that came to its end, and what came of it."""

    number: int
    params: Mapping[str, Any]  # Optuna's
    result: RunResult

    @property
    def accuracy(self) -> float:
        """Validation accuracy, in [0, 1], with the weights that it ended with."""
        return self.result.kept["val_accuracy"]

    @property
    def loss(self) -> float:
        """Validation loss, likewise."""
        return self.result.kept["val_loss"]

    @property
    def parameters(self) -> int:
        """How many weights the network has."""
        return int(self.result.metrics["parameters"])


def counts(trial: FrozenTrial) -> bool:
    """Whether it came to its end, well or badly; not one that was broken off."""
    return trial.state.is_finished() and not trial.user_attrs.keys().isdisjoint({RESULT, SAME_AS})


def tried(study: Study) -> list[Tried]:
    """The trials that came to their ends, by number; those that only repeated one are left out.

    Raises:
        StudyError: another version of this package wrote what came of one.
    """
    trials: Sequence[FrozenTrial] = study.get_trials(deepcopy=False)
    ended = [trial for trial in trials if trial.state.is_finished() and RESULT in trial.user_attrs]
    return [Tried(trial.number, trial.params, _result(study, trial)) for trial in ended]


def _result(study: Study, trial: FrozenTrial) -> RunResult:
    try:
        return from_plain(trial.user_attrs[RESULT])
    except (ValidationError, TypeError, KeyError):  # fields that this version doesn't know, or that it misses
        raise StudyError(
            f"study {study.study_name}, trial {trial.number}: recorded by another version of mnist-bench: "
            "begin another by --study"
        ) from None


def keep(trial: Trial, result: RunResult) -> None:
    """Note on a trial what came of it: all of it, and by themselves the figures that Optuna's own pages can sort by."""
    figures = {name: result.metrics[name] for name in ("parameters", "train_seconds") if name in result.metrics}
    if result.history:
        figures |= {name: value for name, value in result.kept.items() if name.startswith("val_")}
    for name, value in {**figures, **({"cause": result.cause} if result.cause else {})}.items():
        trial.set_user_attr(name, value)
    trial.set_user_attr(RESULT, as_plain(result))


def values(result: RunResult, objectives: Sequence[str]) -> list[float]:
    """The objectives of a finished trial."""
    known = {
        "accuracy": result.kept["val_accuracy"],
        "parameters": result.metrics["parameters"],
        "seconds": result.metrics["train_seconds"],
    }
    return [known[objective] for objective in objectives]


def told(study: Study, trial: FrozenTrial, objectives: Sequence[str]) -> tuple[Sequence[float] | None, TrialState]:
    """What a trial that was broken off is to be told: what it came to, where that was noted already; else its failure.

    Noting and telling are two steps, and a search can be killed between them.
    """
    if RESULT in trial.user_attrs:
        result = _result(study, trial)
        return values(result, objectives) if result.finished else None, state_of(result)
    if SAME_AS in trial.user_attrs:
        before = study.get_trials(deepcopy=False)[trial.user_attrs[SAME_AS]]
        return before.values if before.state == TrialState.COMPLETE else None, before.state
    return None, TrialState.FAIL


def state_of(result: RunResult) -> TrialState:
    """Optuna's word for how a trial ended."""
    if result.finished:
        return TrialState.COMPLETE
    return TrialState.PRUNED if result.pruned else TrialState.FAIL
