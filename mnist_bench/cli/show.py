"""`mnist-bench show`: one run, in words and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mnist_bench import architectures
from mnist_bench.cli.echo import echo
from mnist_bench.cli.files import write_files
from mnist_bench.cli.options import data_dir_option, output_option, suite_name, tracking_uri_option
from mnist_bench.cli.recorded import is_id, load_recorded, run_id
from mnist_bench.errors import ArchitectureError
from mnist_bench.execution.code import code_of
from mnist_bench.execution.unheard import tensorflow_unheard
from mnist_bench.reporting.run import confusion_table, epochs_table
from mnist_bench.tracking import open_store
from mnist_bench.tracking.artifacts import attach
from mnist_bench.tracking.confusion import read_confusion
from mnist_bench.tracking.curves import read_history
from mnist_bench.tracking.predictions import read_predictions
from mnist_bench.tracking.reader import read_suite
from mnist_bench.tracking.recorded import finished_run, read_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from mlflow.entities import Run
    from numpy.typing import NDArray

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunSpec

__all__ = ["command"]

_NO_GRAPHVIZ = (
    "No diagram of the model: install Graphviz (`apt install graphviz`, `brew install graphviz`), which draws it."
)


@click.command("show")
@click.argument("run")
@click.option("--suite", metavar="NAME|PATH", help="The suite of RUN; a run id needs none.")
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@data_dir_option
@output_option("the run")
@tracking_uri_option
def command(  # noqa: PLR0913 - one parameter an option
    *,
    run: str,
    suite: str | None,
    dataset: str | None,
    data_dir: Path | None,
    output: Path | None,
    tracking_uri: str | None,
) -> None:
    """Show one run: its curves, confusion matrix, test images and model.

    RUN is a run's id in MLflow, or VARIANT@SEED, or a VARIANT, which stands for its best run by validation. The
    pictures are written to a folder, and to the run in MLflow.
    """
    store = open_store(tracking_uri)
    read = read_suite(store, suite_name(suite), dataset) if suite and not is_id(run) else None
    found = finished_run(store, run_id(run, read))
    spec = read_spec(found)
    images = load_recorded(spec.dataset.name, spec.dataset.digest, data_dir)
    history, matrix = read_history(store, found), read_confusion(store, found)
    predicted = read_predictions(store, found).predicted
    _tell(found, spec, history, matrix)
    pictures = _pictures(spec, history, matrix, images, predicted) | _show_model(spec, images)
    write_files(output or Path(f"{spec.suite}-{spec.variant}-{spec.seed}"), pictures)
    attach(store, found.info.run_id, pictures)
    echo("The pictures are among the run's artifacts in MLflow too.")


def _tell(run: Run, spec: RunSpec, history: Sequence[Mapping[str, float]], matrix: NDArray[np.int64]) -> None:
    metrics, console = run.data.metrics, Console(highlight=False)
    echo(f"{spec.variant}, seed {spec.seed}, of {spec.suite} on {spec.dataset.name}: run {run.info.run_id}")
    echo(
        f"{spec.architecture}, {metrics['parameters']:,.0f} parameters; test accuracy {metrics['test_accuracy']:.2%}, "
        f"test loss {metrics['test_loss']:.4f} over {matrix.sum():,} images"
    )
    console.print(epochs_table(history))
    click.echo("\nTest images by true class (rows) and predicted class (columns)")
    console.print(confusion_table(matrix))
    click.echo()


def _pictures(
    spec: RunSpec,
    history: Sequence[Mapping[str, float]],
    matrix: NDArray[np.int64],
    dataset: Dataset,
    predicted: NDArray[np.integer[Any]],
) -> dict[str, bytes]:
    """PNG files by name, the first two as the worker named them that trained the run."""
    from mnist_bench.figures.images import predicted_images  # noqa: PLC0415 - matplotlib, here and below
    from mnist_bench.figures.run import confusion_heatmap, learning_curves  # noqa: PLC0415
    from mnist_bench.figures.style import to_png  # noqa: PLC0415

    title = f"{spec.variant}, seed {spec.seed}"
    return {
        "curves.png": to_png(learning_curves(history, title)),
        "confusion.png": to_png(confusion_heatmap(matrix, title)),
        "test_images.png": to_png(predicted_images(dataset.test_images, dataset.test_labels, predicted, title)),
    }


def _show_model(spec: RunSpec, dataset: Dataset) -> dict[str, bytes]:
    """Print the layers; the diagram as a file, where Graphviz is installed.

    The model is built anew, since few runs kept theirs.
    """
    with tensorflow_unheard():
        from mnist_bench.inference.model import diagram, layer_table  # noqa: PLC0415 - TensorFlow, which takes seconds

    try:
        options = architectures.resolve_options(spec.architecture, spec.options, "options")
        model = architectures.build(spec.architecture, options, dataset.image_shape, dataset.classes)
        changed = code_of(spec.architecture).architecture != spec.code.architecture
    except ArchitectureError as fault:  # since the run it was removed, or its options are others now
        echo(f"Its layers can't be built any more: {fault}")
        return {}
    click.echo(layer_table(model))
    if changed:
        echo(f"The code of {spec.architecture} has changed since this run: these are the layers that it makes now.")
    drawn = diagram(model)
    if drawn is None:
        echo(_NO_GRAPHVIZ)
        return {}
    return {"model.png": drawn}
