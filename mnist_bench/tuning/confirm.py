"""The best of a search on fresh seeds, beside the architecture's default: a suite like any other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_bench.analysis.statistics import Interval, mean_interval
from mnist_bench.errors import OutputError
from mnist_bench.suites import BASELINE
from mnist_bench.tracking.curves import read_curves
from mnist_bench.tuning.choice import ranked, simplest
from mnist_bench.tuning.study import SEED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mnist_bench.specs import Recipe
    from mnist_bench.tracking import Store
    from mnist_bench.tracking.reader import Suite
    from mnist_bench.tuning.study import Subject, Tried

__all__ = ["SIMPLEST", "Luck", "chosen", "fresh_accuracies", "luck", "suite_toml", "write_suite"]

SIMPLEST = "simplest"


def chosen(subject: Subject, trials: Sequence[Tried], top: int) -> dict[str, Tried]:
    """The variants that are confirmed: `top_1`, `top_2`, …, and `simplest` unless it is among them.

    The default, which is the baseline, is none of them.

    Args:
        subject: what was searched for.
        trials: all that were tried.
        top: how many of the best.
    """
    others = [trial for trial in ranked(trials) if not subject.is_default(trial)]
    best = {f"top_{place}": trial for place, trial in enumerate(others[:top], start=1)}
    plain = simplest(trials, subject.validation_images)
    if plain is None or subject.is_default(plain) or plain in best.values():
        return best
    return {**best, SIMPLEST: plain}


def suite_toml(subject: Subject, variants: Mapping[str, Tried], seeds: int) -> str:
    """A suite file: the architecture's default as baseline, the trials as `variants`, over seeds not searched by."""
    default = subject.default
    offset = SEED + 1
    lines = [
        f"# Written by `mnist-bench tune`, from study {subject.study}. `seed_offset`: other seeds than the search's.",
        f"question = {_toml(f'Is what the study {subject.study} found better than the default?')}",
        f"cost = {_toml(f'{(1 + len(variants)) * seeds} runs of {subject.epochs} epochs')}",
        f"seeds = {seeds}",
        "",
        "[baseline]",
        f"architecture = {_toml(subject.space.architecture)}",
        *_tables(default.options, default.recipe, offset),
    ]
    for name, trial in variants.items():
        told = f"Does trial {trial.number} hold what it promised ({trial.accuracy:.2%} on validation)?"
        spec = trial.result.spec
        lines += ["", f"[variants.{name}]", f"question = {_toml(told)}", *_tables(spec.options, spec.recipe, offset)]
    return "\n".join(lines) + "\n"


def write_suite(path: Path, text: str) -> None:
    """Write a suite file, whole or not at all.

    Raises:
        OutputError: it can't be written there.
    """
    unfinished = path.with_name(f".{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as fault:
        raise OutputError(
            f"{path}: can't be written ({fault.strerror}): make room there, and the same command confirms the best"
        ) from fault


@dataclass(frozen=True)
class Luck:
    """What the best but for the default came to in the search, and on fresh seeds; validation accuracy in percent."""

    searched: float
    fresh: Interval
    default: Interval  # the architecture's default, on the same seeds
    ahead: float | None = None  # what the default came to in the search, where that was the best there

    @property
    def sentence(self) -> str:
        """How much of the gain was luck, in words."""
        gain, lost = self.searched - self.default.mean, self.searched - self.fresh.mean
        kept = self.fresh.mean - self.default.mean
        seeds = "a fresh seed" if self.fresh.n == 1 else f"{self.fresh.n} fresh seeds"
        best = "" if self.ahead is None else f"the default, {self.ahead:.2f}%, and of the others "
        told = (
            f"best in the search {best}{self.searched:.2f}% on validation; on {seeds} {_plus_minus(self.fresh)}%, and "
            f"the default {_plus_minus(self.default)}%"
        )
        if gain <= 0 or self.ahead is not None:
            beside = f"{abs(kept):.2f} pp {'above' if kept > 0 else 'below'} the default"
            return f"{told}: the search seemed to gain nothing; on fresh seeds it is {beside}"
        if kept <= 0:
            return f"{told}: all of the {gain:.2f} pp that the search seemed to gain was luck"
        if lost <= 0:
            return f"{told}: nothing of the {gain:.2f} pp that the search seemed to gain was luck"
        return f"{told}: of the {gain:.2f} pp that the search seemed to gain, {lost:.2f} pp were luck"


def luck(best: Tried, fresh: Mapping[str, Sequence[float]], default: Tried | None = None) -> Luck | None:
    """How much of a search's gain was luck; None where no run of its best or of the default finished.

    Args:
        best: the search's best trial but for the default.
        fresh: validation accuracies in percent, by variant.
        default: the trial of the default, if there was one.
    """
    found, baseline = (mean_interval(fresh.get(name, ())) for name in ("top_1", BASELINE))
    ahead = 100 * default.accuracy if default and ranked([best, default])[0] is default else None
    return Luck(100 * best.accuracy, found, baseline, ahead) if found.n and baseline.n else None


def fresh_accuracies(store: Store, suite: Suite) -> dict[str, list[float]]:
    """Validation accuracy, in percent, of each finished run, by variant: with the weights that it ended with.

    Raises:
        StoreError: the store doesn't answer.
    """
    finished = suite.runs[suite.runs["finished"].astype(bool)]
    curves = read_curves(store, finished["run_id"], "val_accuracy")
    fresh: dict[str, list[float]] = {}
    for run in finished.to_dict("records"):
        kept = 100 * curves[run["run_id"]][int(run["kept_epoch"]) - 1]
        fresh.setdefault(run["variant"], []).append(kept)
    return fresh


def _plus_minus(interval: Interval) -> str:
    """Without a half width where there is but one value."""
    half = "" if interval.n == 1 else f" ± {interval.high - interval.mean:.2f}"
    return f"{interval.mean:.2f}{half}"


def _tables(options: Mapping[str, Any], recipe: Recipe, offset: int) -> list[str]:
    """A variant's lines: all options, and of the recipe what isn't as it is by default."""
    default = type(recipe)().model_dump(mode="json")
    changed = {name: value for name, value in recipe.model_dump(mode="json").items() if value != default[name]}
    entries = {"epochs": recipe.epochs, **changed}  # the baseline's would stand otherwise
    return [f"options = {_toml(options)}", f"recipe = {_toml(entries)}", f"seed_offset = {offset}"]


def _toml(value: Any) -> str:
    """A value as TOML: JSON's strings, numbers and lists are TOML's too."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if inner is not None}  # TOML has no null
        return "{ " + ", ".join(f"{name} = {_toml(inner)}" for name, inner in kept.items()) + " }" if kept else "{}"
    return json.dumps(value, ensure_ascii=False)
