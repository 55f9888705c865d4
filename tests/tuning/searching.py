"""Searches without workers: what is drawn is looked up in a formula instead of being trained."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from optuna.storages import InMemoryStorage

from mnist_bench.execution.trials import Epoch
from mnist_bench.specs import RunResult
from mnist_bench.tuning.sampling import Draws, make_pruner
from mnist_bench.tuning.search import Search
from mnist_bench.tuning.space import Space, load_space
from mnist_bench.tuning.storage import open_study
from mnist_bench.tuning.study import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunSpec

WIDTHS = """
replace = true
[options]
widths = {layers = {low = 1, high = 3}, width = {low = 4, high = 64, log = true}}
[recipe]
learning_rate = {low = 1e-4, high = 1e-2, log = true}
"""


def accuracy(spec: RunSpec, epoch: int) -> float:
    """Wider is better up to 32 units a layer, more layers up to two; and it takes some epochs."""
    widths = spec.options["widths"]
    best = 0.9 + 0.02 * min(len(widths), 2) + 0.001 * min(sum(widths) / max(1, len(widths)), 32)
    return best * (1 - 0.5**epoch)


def result_of(spec: RunSpec, epochs: int | None = None, *, cause: str | None = None) -> RunResult:
    """What a run of the formula comes to, after so many epochs."""
    planned = spec.recipe.epochs
    history = [
        {"val_accuracy": accuracy(spec, epoch), "val_loss": 1 - accuracy(spec, epoch), "epoch_seconds": 0.5}
        for epoch in range(1, (epochs or planned) + 1)
    ]
    parameters = float(sum(spec.options["widths"]) * 100)
    return RunResult(
        spec=spec,
        started_at=1e9,
        seconds=1.0,
        cause=cause,
        pruned=epochs is not None and epochs < planned,
        history=() if cause else tuple(history),
        metrics={} if cause else {"parameters": parameters, "train_seconds": 0.5 * len(history)},
    )


class FakeTrials:
    """Trains nothing. Of those under way each in turn ends an epoch; one that is told so is pruned."""

    def __init__(self, slots: int = 2, *, fails: Any = lambda _: None) -> None:
        self.slots = slots
        self.begun: list[RunSpec] = []
        self._fails = fails
        self._under_way: deque[tuple[RunSpec, int]] = deque()
        self._pruned: set[str] = set()

    def begin(self, spec: RunSpec) -> None:
        assert len(self._under_way) < self.slots
        self.begun.append(spec)
        self._under_way.append((spec, 0))

    def prune(self, spec: RunSpec) -> None:
        self._pruned.add(spec.variant)

    def news(self, _: float) -> Epoch | RunResult | None:
        if not self._under_way:
            return None
        spec, epochs = self._under_way.popleft()
        if cause := self._fails(spec):
            return result_of(spec, cause=cause)
        if epochs == spec.recipe.epochs or (epochs and spec.variant in self._pruned):
            return result_of(spec, epochs)
        self._under_way.append((spec, epochs + 1))
        return Epoch(spec, epochs + 1, {"val_accuracy": accuracy(spec, epochs + 1)})


def space_of(folder: Path, text: str = WIDTHS) -> Space:
    """The space that a file of this text says, of `mlp`."""
    path = folder / "space.toml"
    path.write_text(text)
    return load_space("mlp", path)


class Bench:
    """A study, in memory unless `url` says where, searched by fakes."""

    def __init__(self, folder: Path, dataset: Dataset, text: str = WIDTHS, url: Any = None, **subject: Any) -> None:
        self.storage = url or InMemoryStorage()
        self.subject = Subject("bench", space_of(folder, text), dataset, **{"epochs": 4, **subject})
        self.ended: list[tuple[int, RunResult]] = []

    def study(self, pruner: str = "median") -> Any:
        return open_study(self.storage, self.subject, make_pruner(pruner, self.subject.epochs))

    def search(
        self, total: int, *, sampler: str = "random", pruner: str = "none", trials: Any = None, **limits: Any
    ) -> Any:
        """Search until there are `total` trials, as a process of its own would; the study as it is then."""
        study = self.study(pruner)
        self.trials = trials or FakeTrials()
        draws = Draws(sampler, self.subject.space)
        Search(study, self.subject, draws, self.trials, lambda *end: self.ended.append(end)).run(total, **limits)
        return study
