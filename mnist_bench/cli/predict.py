"""`mnist-bench predict`: image files, classified by a recorded model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mnist_bench.cli.echo import echo
from mnist_bench.cli.options import suite_name, tracking_uri_option
from mnist_bench.cli.recorded import run_id
from mnist_bench.errors import StoreError
from mnist_bench.execution.unheard import tensorflow_unheard
from mnist_bench.inference.images import as_mnist, read_ink
from mnist_bench.tracking import fetch_model, open_store
from mnist_bench.tracking.reader import read_suite
from mnist_bench.tracking.recorded import finished_run, read_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mnist_bench.specs import RunSpec
    from mnist_bench.tracking import Store

__all__ = ["command"]

_LIKELIEST = 3  # classes that the table shows


@click.command("predict")
@click.argument(
    "images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--run", metavar="RUN", help="A run's id in MLflow, or VARIANT@SEED of --suite.")
@click.option("--suite", metavar="NAME|PATH", help="The suite of --variant.")
@click.option("--variant", metavar="NAME", help="A variant of --suite, which stands for its best run by validation.")
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@tracking_uri_option
def command(  # noqa: PLR0913 - one parameter an option
    *,
    images: Sequence[Path],
    run: str | None,
    suite: str | None,
    variant: str | None,
    dataset: str | None,
    form: str,
    tracking_uri: str | None,
) -> None:
    """Classify image files by a recorded model.

    PNG or JPEG files of any size, each with one digit (or whatever the model was trained on) on a plain background.
    Each is brought into the form in which MNIST was made: light on black, scaled to a box of 20 x 20 pixels, and
    centred by its mass in 28 x 28.
    """
    name = run or variant
    if name is None or (run and variant):
        raise click.UsageError("name the model by either --run or --suite and --variant")
    store = open_store(tracking_uri)
    found = run_id(name, read_suite(store, suite_name(suite), dataset) if suite else None)
    spec = read_spec(finished_run(store, found))
    likely = _probabilities(_model(store, found), spec, images)
    if form == "json":
        click.echo(_as_json(found, spec, images, likely))
    else:
        _show(found, spec, images, likely)


def _model(store: Store, run: str) -> bytes:
    model = fetch_model(store, run)
    if model is None:
        raise StoreError(
            f"run {run} kept no model: only the best of a variant does, which --suite and --variant name, unless the "
            "suite was run with --keep-models"
        )
    return model


def _probabilities(keras_file: bytes, spec: RunSpec, paths: Sequence[Path]) -> NDArray[np.float64]:
    """Each class's probability for each image, (n, classes)."""
    with tensorflow_unheard():
        from mnist_bench.inference.model import probabilities, read_model  # noqa: PLC0415 - TensorFlow: takes seconds

    model = read_model(keras_file)
    _, height, width, _ = model.input_shape
    images = np.stack([as_mnist(read_ink(path), height, width) for path in paths])
    return probabilities(model, images, normalize=spec.recipe.normalize)


def _as_json(run: str, spec: RunSpec, paths: Sequence[Path], likely: NDArray[np.float64]) -> str:
    about: dict[str, Any] = {"run_id": run, "suite": spec.suite, "variant": spec.variant, "seed": spec.seed}
    predictions = [
        {"image": str(path), "predicted": int(of_image.argmax()), "probabilities": of_image.tolist()}
        for path, of_image in zip(paths, likely, strict=True)
    ]
    return json.dumps(about | {"dataset": spec.dataset.name, "predictions": predictions}, indent=2)


def _show(run: str, spec: RunSpec, paths: Sequence[Path], likely: NDArray[np.float64]) -> None:
    echo(f"By {spec.variant}, seed {spec.seed}, of {spec.suite} on {spec.dataset.name}: run {run}")
    table = Table("image", "predicted", "probabilities", box=None, pad_edge=False)
    for path, of_image in zip(paths, likely, strict=True):
        best = np.argsort(-of_image, kind="stable")[:_LIKELIEST]
        table.add_row(escape(str(path)), str(best[0]), ", ".join(f"{label}: {of_image[label]:.1%}" for label in best))
    Console(highlight=False).print(table)
