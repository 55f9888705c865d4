"""A recorded suite whose words are out to break a page, and whose runs are of every kind."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
from made_up import run_spec
from tracking.recordings import agenda, failed_result, new_store, run_result

from mnist_bench import data
from mnist_bench.specs import DatasetRef
from mnist_bench.tracking import Outbox, Recorder

LABELS = np.arange(120) % 4  # of both parts
QUESTION = "Does <script>alert('it')</script> & \"more\" help?"
WIDE = "a_much_wider_network_whose_name_is_as_long_as_names_may_be"
VARIANTS = {"baseline": 6, WIDE: 2, "no_validation": 9, "broken": 0}  # images that are got wrong
SEEDS = 8


def new_awkward_store(factory, folder):
    """A store of the suite `made_up`, in a folder that holds its dataset under the name of MNIST."""
    images = np.full((120, 8, 8), 1, np.uint8)
    np.savez(folder / "mnist.npz", x_train=images, y_train=LABELS, x_test=images, y_test=LABELS)
    store = new_store(factory, folder)
    reference = DatasetRef(name="mnist", digest=data.load("mnist", folder).digest, split="cut")
    specs = [
        run_spec(seed=seed, variant=variant, options={"name": variant}, epochs=3).model_copy(
            update={"dataset": reference}
        )
        for seed in range(SEEDS)
        for variant in VARIANTS
    ]
    plan = dataclasses.replace(agenda(specs), question=QUESTION, questions=dict.fromkeys(VARIANTS, QUESTION))
    with Recorder(store, Outbox(store.location.outbox)) as recorder:
        recorder.prepare(plan)
        for spec in specs:
            recorder.record(_result(spec))
    return store


def _result(spec):
    if spec.variant == "broken":
        return failed_result(spec, "the loss was <nan>")
    predicted = LABELS.copy()
    wrong = slice(0, VARIANTS[spec.variant] + spec.seed % 3)
    predicted[wrong] = (predicted[wrong] + 1) % 4
    losses = [1.0, 0.4 + 0.01 * spec.seed, 0.7 + 0.02 * spec.seed]
    parts = ("train",) if spec.variant == "no_validation" else ("train", "val")
    history = [
        {f"{part}_loss": x for part in parts} | {f"{part}_accuracy": 1 - x / 2 for part in parts} for x in losses
    ]
    buffer, matrix = io.BytesIO(), np.zeros((4, 4), dtype=int)
    np.savez(buffer, predicted=predicted.astype(np.uint8))
    np.add.at(matrix, (LABELS, predicted), 1)
    accuracy = float((predicted == LABELS).mean())
    files = {"predictions.npz": buffer.getvalue(), "confusion.json": json.dumps({"counts": matrix.tolist()}).encode()}
    figures = {"parameters": 1000.0 + 500 * len(spec.variant), "test_accuracy": accuracy, "test_loss": 0.25}
    return run_result(spec, history=(*history,), metrics=figures, artifacts=files)
