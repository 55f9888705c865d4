"""Made-up images and runs: small enough to train on in a blink."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mnist_bench.data import Dataset, split
from mnist_bench.execution.code import code_of
from mnist_bench.specs import DatasetRef, Recipe, RunSpec
from mnist_bench.tracking.reader import Suite


def images(*, classes: int = 3, size: tuple[int, int] = (12, 12), train: int = 240, test: int = 60) -> Dataset:
    """Images that are told apart by which band of rows is bright."""
    generator = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count, dtype=np.int32) % classes
        images = generator.integers(0, 120, (count, *size), dtype=np.uint8)
        band = size[0] // classes
        for image, label in zip(images, labels, strict=True):
            image[label * band : (label + 1) * band] += 100
        return images, labels

    return Dataset("made-up", "tests", *part(train), *part(test))


def run_spec(dataset: Dataset | None = None, *, seed: int = 0, **changes: object) -> RunSpec:
    """A run of a small network on `dataset`; `changes` are fields of RunSpec, or of its recipe."""
    labels = {"suite": "made_up", "variant": "baseline", "architecture": "mlp", "options": {"widths": [8]}}
    fields = labels | {name: value for name, value in changes.items() if name in RunSpec.model_fields}
    recipe = {"epochs": 2, "batch_size": 32} | {name: v for name, v in changes.items() if name in Recipe.model_fields}
    cut = split(dataset.train_labels, recipe.get("validation", 0.1)).digest if dataset else "cut"
    return RunSpec(
        **fields,
        recipe=Recipe(**recipe),
        dataset=DatasetRef(name="made-up", digest=dataset.digest if dataset else "digest", split=cut),
        seed=seed,
        code=code_of(fields["architecture"]),
    )


def recorded_suite(
    accuracies: dict[str, list[float | None]], *, planned: int | None = None, looks: tuple[int, ...] = ()
) -> Suite:
    """What is read of a suite whose runs have these test accuracies, seed by seed; None is a failed run.

    Every variant is planned for as many seeds as the baseline has runs, or for `planned`.
    """
    seeds = planned or len(accuracies["baseline"])
    variants = [
        {
            "variant": name,
            "role": "baseline" if name == "baseline" else "variant",
            "seeds_planned": [*range(max(seeds, len(accuracies[name])) if looks else seeds)],
            "seed_offset": 0,
            "looks": looks or (seeds,),
            "epochs": 2,
            "run_id": f"{name}-parent",
        }
        for name in accuracies
    ]
    runs = [
        {
            "variant": name,
            "seed": seed,
            "pair": seed,
            "finished": accuracy is not None,
            "cause": None if accuracy else "the loss was nan",
            "run_id": f"{name}-{seed}",
            "seconds": 10.0 + seed,
            "train_seconds": 5.0 + seed,
            "parameters": 100.0,
            "test_accuracy": accuracy,
            "test_loss": 0.5,
        }
        for name, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]
    columns = ["variant", "seed", "pair", "finished", "cause", "run_id", "seconds"]
    return Suite(
        name="made_up",
        dataset="made-up",
        question="Which helps?",
        planned_at="2026-01-02T03:04:05+00:00",
        edition="first",
        smallest_effect_pp=0.1,
        variants=pd.DataFrame(variants),
        runs=pd.DataFrame(runs, columns=None if runs else columns),
    )
