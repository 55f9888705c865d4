"""How much sooner `mnist-bench tune` finds as good a network as Keras Tuner does, in the same space on the same data.

Each side has the same budget of epochs, the same split, and a process of its own: ours by TPE with the median pruner on
one worker a core, recorded in Optuna's storage and MLflow as always; Keras Tuner by random search and by Hyperband. The
measure is the same on each side: the best epoch's validation accuracy of each trial, counted when the trial has ended
(a pruned one too). What is compared are, with each peer, the seconds until the best validation accuracy that both
reached: the lesser of their bests. Start-up (imports, data, workers) is left out of the first ratio, and in the second.

Random search draws each trial by itself, and Hyperband begins anew with each of its iterations, so that when their good
ones come is luck alone: their seconds are the mean over all orders of the trials, or iterations, that they had. What
comes of the order in which they came is told beside it. Every side draws otherwise in each repeat.

Usage: python benchmarks/search_against_keras_tuner.py [--dataset mnist-5k] [--trials 50] [--epochs 10]
           [--repeats 5] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import psutil
from work import answer, heading, new_store

from mnist_bench import data
from mnist_bench.cli.search import recorder_of
from mnist_bench.execution.engine import Engine
from mnist_bench.tuning.sampling import Draws, make_pruner
from mnist_bench.tuning.search import Search
from mnist_bench.tuning.space import load_space
from mnist_bench.tuning.storage import open_study
from mnist_bench.tuning.study import Subject

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from mnist_bench.specs import RunResult
    from mnist_bench.tuning.space import Space

ARCHITECTURE = "convnet"
OURS = "mnist-bench"
PEERS = ("random", "hyperband")
SAME = 1e-6  # accuracies in single precision, as Keras has them, and in double
ROW = "{:<24}{:>7}{:>8}{:>9}{:>12}{:>9}{:>12}{:>7}{:>7}{:>12}"


class Repeated(Draws):
    """Draws otherwise in each repeat."""

    def __init__(self, name: str, space: Space, repeat: int) -> None:
        super().__init__(name, space)
        self._repeat = repeat

    def sampler(self, trials: int, salt: str = "") -> BaseSampler:
        """The sampler for the next trial."""
        return super().sampler(trials, f"{salt} {self._repeat}")


def ours(arguments: argparse.Namespace) -> tuple[float, list[list[float]]]:
    """Our side: seconds of its start-up, and of each trial when it ended and its best validation accuracy."""
    space, dataset = load_space(ARCHITECTURE), data.load(arguments.dataset)
    subject = Subject(f"{ARCHITECTURE}-{dataset.name}", space, dataset, arguments.epochs)
    ended: list[list[float]] = []
    with tempfile.TemporaryDirectory() as folder:
        pruner = make_pruner("median", arguments.epochs)
        study = open_study(f"sqlite:///{folder}/optuna.db", subject, pruner)
        recorder = recorder_of(study, subject, new_store(folder))
        with Engine(dataset) as engine:
            start_up, began = since_start(), time.perf_counter()

            def hear(number: int, result: RunResult) -> None:
                if result.history:
                    best = max(figures["val_accuracy"] for figures in result.history)
                    ended.append([time.perf_counter() - began, best])
                recorder.record(number, result)

            Search(study, subject, Repeated("tpe", space, arguments.seed), engine.trials(), hear).run(arguments.trials)
        recorder.end("FINISHED")
    return start_up, ended


def keras_tuner(kind: str, arguments: argparse.Namespace) -> tuple[float, list[list[float]], int]:
    """Keras Tuner's side, likewise, and how many of its trials in a row are independent of the others."""
    # They import TensorFlow, which our side must not pay for.
    from peers.keras_tuner_search import Budget, independent_trials, search  # noqa: PLC0415

    budget = Budget(arguments.trials, arguments.epochs)
    space, dataset = load_space(ARCHITECTURE), data.load(arguments.dataset)
    start_up = since_start()
    ended = search(kind, space, dataset, budget, arguments.seed)
    return start_up, ended, independent_trials(kind, budget)


def since_start() -> float:
    """Seconds since this process began."""
    return time.time() - psutil.Process().create_time()


@dataclass(frozen=True)
class Searched:
    """What one side came to in one repeat."""

    start_up: float
    ended: list[list[float]]  # of each trial: seconds since the search began, and best validation accuracy
    part: int = 0  # so many trials in a row might as well have come before or after others; 0: none

    @property
    def best(self) -> float:
        """The best validation accuracy of all."""
        return max(accuracy for _, accuracy in self.ended)

    def seconds_to(self, accuracy: float) -> float:
        """Until a trial that is as good had ended; where its parts might come in any order, the mean over all orders.

        Each part that falls short comes before the first of k good ones in 1 of k + 1 orders.
        """
        short, good, began = [], [], 0.0
        size = self.part or len(self.ended)
        for place in range(0, len(self.ended), size):
            part = self.ended[place : place + size]
            until = next((seconds for seconds, reached in part if reached > accuracy - SAME), None)
            if until is None:
                short.append(part[-1][0] - began)
            else:
                good.append(until - began)
            began = part[-1][0]
        return sum(short) / (len(good) + 1) + statistics.mean(good)

    def climb(self) -> list[tuple[float, float]]:
        """Each moment at which it had something better than before."""
        steps = [(0.0, 0.0)]
        for seconds, accuracy in self.ended:
            steps.append((seconds, max(accuracy, steps[-1][1])))
        return [after for before, after in pairwise(steps) if after[1] > before[1]]


def searched(side: str, seed: int, arguments: argparse.Namespace) -> Searched:
    """Run a side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--seed", str(seed)]
    for name in ("dataset", "trials", "epochs"):
        command += [f"--{name}", str(getattr(arguments, name))]
    return Searched(*answer(command))


def show(repeats: list[dict[str, Searched]]) -> None:
    """Print each side's medians over the repeats and, against each peer, the medians of the ratios within each."""
    print(
        ROW.format(
            "side", "trials", "best", "search", "both reach", "after", "ours after", "ratio", "all", "as it came"
        )
    )
    for name in repeats[0]:
        here = [sides[name] for sides in repeats]
        cells = [
            name if name == OURS else f"Keras Tuner, {name}",
            len(here[-1].ended),
            f"{statistics.median(side.best for side in here):.2%}",
            f"{statistics.median(side.ended[-1][0] for side in here):.1f} s",
        ]
        against = [""] * 6 if name == OURS else beside([(sides[name], sides[OURS]) for sides in repeats])
        print(ROW.format(*cells, *against))


def beside(pairs: list[tuple[Searched, Searched]]) -> list[str]:
    """What a peer and we both reach, the seconds to it, and ratios: without start-up, with it, in the order it came."""
    targets = [min(peer.best, our.best) for peer, our in pairs]
    seconds = np.array([[side.seconds_to(each) for side in pair] for pair, each in zip(pairs, targets, strict=True)])
    start_up = np.array([[side.start_up for side in pair] for pair in pairs])
    plain, whole = (np.median(each[:, 0] / each[:, 1]) for each in (seconds, seconds + start_up))
    came = [replace(peer, part=0).seconds_to(each) for (peer, _), each in zip(pairs, targets, strict=True)]
    ratios = f"{plain:.1f}x", f"{whole:.1f}x", f"{np.median(came / seconds[:, 1]):.1f}x"
    peer, our = np.median(seconds, axis=0)
    return [f"{statistics.median(targets):.2%}", f"{peer:.1f} s", f"{our:.1f} s", *ratios]


def main() -> None:
    """Print each side's way up, and the seconds to the same best validation accuracy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist-5k")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--side", choices=[OURS, *PEERS], help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help="of the first repeat")
    arguments = parser.parse_args()
    if arguments.side:
        found = ours(arguments) if arguments.side == OURS else keras_tuner(arguments.side, arguments)
        print(json.dumps(found))
        return
    budget = f"{arguments.trials} trials of at most {arguments.epochs} epochs"
    repeated = f"medians of {arguments.repeats} from seed {arguments.seed}"
    print(heading(f"{ARCHITECTURE} on {arguments.dataset}, {budget}, {repeated}"))
    repeats = []
    for seed in range(arguments.seed, arguments.seed + arguments.repeats):
        sides = {side: searched(side, seed, arguments) for side in (OURS, *PEERS)}
        for name, side in sides.items():
            climb = ", ".join(f"{accuracy:.2%} at {seconds:.0f} s" for seconds, accuracy in side.climb()[-5:])
            print(f"{name}: {climb}", flush=True)
        repeats.append(sides)
    show(repeats)


if __name__ == "__main__":
    main()
