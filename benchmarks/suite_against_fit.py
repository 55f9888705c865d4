"""How much faster a suite's runs are than the same models in plain Keras `fit`, one after another.

Both sides do the same work: the same models, seeds, epochs, minibatches, training and validation images, validation
each epoch, the test part once, and every epoch's figures in an MLflow store on SQLite. `fit` is as a notebook has it:
TensorFlow's own choice of threads, augmentation by Keras' layers, `mlflow.keras.MlflowCallback`, no model logging.
Start-up is left out on both sides: imports, reading the data, opening the store, starting the workers. Building and
tracing the models is in, on both.

Usage: python benchmarks/suite_against_fit.py [--dataset mnist] [--epochs 5] [--seeds 1] [--group dense]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_bench import data, processor, suites
from mnist_bench.execution.engine import CPU_COUNT, Engine
from mnist_bench.execution.plan import Plan, make_plan
from mnist_bench.execution.runner import run_all
from mnist_bench.tracking import Outbox, Recorder, open_store

if TYPE_CHECKING:
    from mnist_bench.specs import RunResult

GROUPS = {
    "convolutional": ("ablations", ()),
    "dense": ("references", ("baseline", "logistic_unscaled", "mlp", "one_layer_mlp")),
}


def plan_of(group: str, arguments: argparse.Namespace) -> Plan:
    """The runs of a group."""
    suite, only = GROUPS[group]
    dataset = data.load(arguments.dataset)
    return make_plan(suites.load(suite, epochs=arguments.epochs), dataset, seeds=arguments.seeds, only=only)


def ours(plan: Plan) -> tuple[float, float]:
    """Seconds from the first run's dispatch to the last one's recording, and the mean test accuracy."""
    results: list[RunResult] = []
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/mlflow.db", create=True)
        recorder = Recorder(store, Outbox(store.location.outbox))
        recorder.prepare(plan.agenda())
        with Engine(plan.dataset) as engine:
            began = time.perf_counter()
            run_all(plan.runs, {}, engine=engine, recorder=recorder, on_result=results.append)
            seconds = time.perf_counter() - began
    return seconds, float(np.mean([result.metrics["test_accuracy"] for result in results]))


def fit(plan: Plan) -> tuple[float, float]:
    """The same in plain Keras: seconds from the first model's building to the last one's evaluation."""
    import keras  # noqa: PLC0415 - the other side must not pay for it
    import mlflow  # noqa: PLC0415

    images, labels = plan.dataset.train_images[..., np.newaxis], plan.dataset.train_labels
    test = plan.dataset.test_images[..., np.newaxis].astype("float32")
    accuracies = []
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.set_experiment("fit")
        began = time.perf_counter()
        for run in plan.runs:
            keras.utils.set_random_seed(run.seed)
            scale = 255.0 if run.recipe.normalize else 1.0
            pixels = images.astype("float32") / scale
            parts = data.split(labels, run.recipe.validation)
            held_out = (pixels[parts.validation], labels[parts.validation]) if len(parts.validation) else None
            model = keras_model(run, plan.dataset)
            with mlflow.start_run():
                model.fit(
                    pixels[parts.train],
                    labels[parts.train],
                    batch_size=run.recipe.batch_size,
                    epochs=run.recipe.epochs,
                    validation_data=held_out,
                    callbacks=[mlflow.keras.MlflowCallback()],
                    verbose=0,
                )
                _, accuracy = model.evaluate(test / scale, plan.dataset.test_labels, verbose=0)
                mlflow.log_metric("test_accuracy", accuracy)
            accuracies.append(accuracy)
        return time.perf_counter() - began, float(np.mean(accuracies))


def keras_model(run, dataset):  # noqa: ANN001, ANN201 - Keras ships no types
    """The run's model, compiled as a notebook has it."""
    import keras  # noqa: PLC0415

    from mnist_bench import architectures  # noqa: PLC0415

    model = architectures.build(run.architecture, run.options, dataset.image_shape, dataset.classes)
    if augment := run.recipe.augment:
        moves = [
            keras.layers.RandomRotation(augment.rotation_degrees / 360, fill_mode="constant"),
            keras.layers.RandomTranslation(augment.shift_fraction, augment.shift_fraction, fill_mode="constant"),
            keras.layers.RandomZoom(augment.zoom_fraction, fill_mode="constant"),
            keras.layers.RandomShear(x_factor=np.tan(np.radians(augment.shear_degrees)), fill_mode="constant"),
        ]
        used = [augment.rotation_degrees, augment.shift_fraction, augment.zoom_fraction, augment.shear_degrees]
        front = [layer for layer, bound in zip(moves, used, strict=True) if bound]
        model = keras.Sequential([keras.Input(dataset.image_shape), *front, model])
    model.compile(
        optimizer=keras.optimizers.Adam(run.recipe.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def measured(side: str, group: str, arguments: argparse.Namespace) -> tuple[float, float]:
    """One side of one group, in a process of its own, so that neither sees what the other has loaded."""
    command = [sys.executable, __file__, "--side", side, "--group", group]
    for name in ("dataset", "epochs", "seeds"):
        command += [f"--{name}", str(getattr(arguments, name))]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this script
    seconds, accuracy = map(float, told.stdout.split()[-2:])
    return seconds, accuracy


def main() -> None:
    """Print both sides of each group, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--side", choices=["ours", "fit"], help=argparse.SUPPRESS)
    parser.add_argument("--group", choices=GROUPS, help="one group only")
    arguments = parser.parse_args()
    if arguments.side:
        print(*{"ours": ours, "fit": fit}[arguments.side](plan_of(arguments.group, arguments)))
        return
    print(
        f"{processor.name()}, {CPU_COUNT} cores; {time.strftime('%F')}; {arguments.dataset}, {arguments.epochs} epochs"
    )
    for group in [arguments.group] if arguments.group else GROUPS:
        (mine, accuracy), (theirs, their_accuracy) = (measured(side, group, arguments) for side in ("ours", "fit"))
        runs = len(plan_of(group, arguments).runs)
        print(f"{group}, {runs} runs: mnist-bench {mine:.1f} s (mean test accuracy {accuracy:.2%}),", end=" ")
        print(f"fit {theirs:.1f} s ({their_accuracy:.2%}): {theirs / mine:.1f} times faster", flush=True)


if __name__ == "__main__":
    if Path.cwd() != Path(__file__).parents[1]:
        sys.exit("run it from the repository's root")
    main()
