"""`mnist-bench data`: what a dataset is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mnist_bench import suites
from mnist_bench.cli.files import write_files
from mnist_bench.cli.options import data_dir_option, dataset_option, output_option
from mnist_bench.data import Dataset, Split, load, split
from mnist_bench.errors import DataError, SuiteError
from mnist_bench.execution.unheard import tensorflow_unheard
from mnist_bench.specs import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mnist_bench.specs import Augmentation
    from mnist_bench.suites import Variant

__all__ = ["command"]

_AUGMENTED, _COPIES = 5, 8  # images, and how often each is moved


@click.command("data")
@dataset_option
@data_dir_option
@click.option("--show", is_flag=True, help="Draw its classes, images and pixel values; the pictures go to --output.")
@click.option("--suite", metavar="NAME|PATH", help="With --show: the suite of --variant.")
@click.option("--variant", metavar="NAME", help="With --show: draw images as this variant augments them, too.")
@output_option("the dataset")
def command(  # noqa: PLR0913 - one parameter an option
    *, dataset: str, data_dir: Path | None, show: bool, suite: str | None, variant: str | None, output: Path | None
) -> None:
    """Show what a dataset is: sizes, split, class counts, digests, source."""
    augmenting = _augmenting(suite, variant) if suite or variant else None
    if (augmenting or output) and not show:
        raise click.UsageError("--suite, --variant and --output are for pictures: add --show")
    loaded = load(dataset, data_dir)
    cut, told = _cut(loaded)
    if loaded.note:
        click.echo(loaded.note, err=True)
    console = Console()
    console.print(_facts(loaded, cut, told))
    console.print(_counts(loaded, cut))
    if show:
        write_files(output or Path(loaded.name), _pictures(loaded, augmenting))


def _augmenting(suite: str | None, variant: str | None) -> Variant:
    """The variant of a suite whose augmentation is drawn."""
    if not (suite and variant):
        raise click.UsageError("--suite and --variant name one variant together: give both")
    known = suites.load(suite)
    named = known[variant]
    if named.recipe.augment is None:
        others = ", ".join(other.name for other in known.variants if other.recipe.augment) or "none"
        raise SuiteError(f"{variant} of {known.name} augments nothing; variants that do: {others}")
    return named


def _cut(dataset: Dataset) -> tuple[Split, str]:
    """The split that a recipe makes unless it says otherwise, and what to say of it; a tiny dataset may have none."""
    validation = Recipe().validation
    try:
        cut = split(dataset.train_labels, validation)
    except DataError as fault:
        return split(dataset.train_labels, 0), f"none: {fault}"
    return cut, f"{validation:g} of the training images (the default of a recipe)"


def _facts(dataset: Dataset, cut: Split, validation: str) -> Table:
    height, width, _ = dataset.image_shape
    table = Table(show_header=False)
    table.add_row("dataset", escape(dataset.name))
    table.add_row("source", escape(dataset.source))
    table.add_row("images", f"{height} x {width} pixels, {dataset.classes} classes")
    table.add_row("validation", validation)
    table.add_row("digest", dataset.digest)
    table.add_row("digest of the split", cut.digest)
    return table


def _counts(dataset: Dataset, cut: Split) -> Table:
    """One row a class, one column a part."""
    parts = {
        "train": dataset.train_labels[cut.train],
        "validation": dataset.train_labels[cut.validation],
        "test": dataset.test_labels,
    }
    table = Table(show_footer=True)
    table.add_column("class", footer="all", justify="right")
    for part, labels in parts.items():
        table.add_column(part, footer=f"{len(labels):,}", justify="right")
    counts = np.stack([np.bincount(labels, minlength=dataset.classes) for labels in parts.values()], axis=1)
    for label, row in enumerate(counts):  # (classes, 3)
        table.add_row(str(label), *(f"{count:,}" for count in row))
    return table


def _pictures(dataset: Dataset, augmenting: Variant | None) -> dict[str, bytes]:
    """PNG files by name."""
    from mnist_bench.figures import data, images  # noqa: PLC0415 - matplotlib, only for pictures
    from mnist_bench.figures.style import to_png  # noqa: PLC0415

    labels = {"training": dataset.train_labels, "test": dataset.test_labels}
    counts = {part: np.bincount(of_part, minlength=dataset.classes) for part, of_part in labels.items()}
    values = np.bincount(dataset.train_images.ravel(), minlength=256)
    files = {
        "classes.png": to_png(data.class_counts(counts, f"{dataset.name}: images of each class")),
        "images.png": to_png(images.labelled_images(dataset.train_images, dataset.train_labels, dataset.name)),
        "pixels.png": to_png(data.pixel_values(values, f"{dataset.name}, pixel values of the training part")),
    }
    if augmenting and augmenting.recipe.augment:
        copies = _copies(dataset.train_images[:_AUGMENTED], augmenting.recipe.augment)
        title = f"{dataset.name}, {augmenting.name}"
        drawn = images.augmented_images(copies, dataset.train_labels[:_AUGMENTED], title)
        files[f"augmented_{augmenting.name}.png"] = to_png(drawn)
    return files


def _copies(images: NDArray[np.uint8], augment: Augmentation) -> NDArray[Any]:
    """Each image and what training makes of it, by the very function that training calls: (n, 1 + copies, …)."""
    with tensorflow_unheard():
        from mnist_bench.data.augmentation import bounds_of, transform  # noqa: PLC0415 - TensorFlow, which takes seconds

    pixels = images[..., np.newaxis].astype(np.float32)
    bounds = bounds_of(augment)
    moved = [np.asarray(transform(pixels, bounds, (0, copy))) for copy in range(_COPIES)]
    return np.stack([pixels, *moved], axis=1)[..., 0]
