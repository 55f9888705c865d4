"""`mnist-bench compare`: two variants, or two runs, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mnist_bench.analysis.comparison import compare_runs, compare_variants
from mnist_bench.analysis.pairing import looks_had
from mnist_bench.analysis.partners import pair_runs
from mnist_bench.cli.echo import WIDTH
from mnist_bench.cli.options import data_dir_option, suite_name, tracking_uri_option
from mnist_bench.cli.recorded import is_id, load_recorded, run_id
from mnist_bench.errors import ComparisonError
from mnist_bench.reporting.comparison import as_json, as_text
from mnist_bench.tracking import open_store
from mnist_bench.tracking.predictions import read_predictions
from mnist_bench.tracking.reader import read_suite
from mnist_bench.tracking.recorded import finished_run

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mnist_bench.analysis.comparison import Comparison
    from mnist_bench.tracking import Store
    from mnist_bench.tracking.predictions import Predictions
    from mnist_bench.tracking.reader import Suite

__all__ = ["command"]


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option("--suite", metavar="NAME|PATH", help="The suite of A and B; run ids need none.")
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@data_dir_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@tracking_uri_option
def command(  # noqa: PLR0913 - one parameter an option
    *,
    a: str,
    b: str,
    suite: str | None,
    dataset: str | None,
    data_dir: Path | None,
    form: str,
    tracking_uri: str | None,
) -> None:
    """Compare two variants, or two runs, over their seeds and image by image.

    A and B are two variants of the suite; or two runs, each as VARIANT@SEED or as the id that it has in MLflow. All
    differences are A less B.
    """
    _check(a, b, suite)
    store = open_store(tracking_uri)
    read = None
    if suite and _of_suite(a, b):
        read = read_suite(store, suite_name(suite), dataset)
    if read is None or _is_run(a):
        comparison, about = _runs(store, read, (a, b), data_dir)
    else:
        comparison, about = _variants(store, read, (a, b), data_dir)
    if form == "json":
        click.echo(as_json(comparison, about))
    else:
        _show(comparison, about)


def _check(a: str, b: str, suite: str | None) -> None:
    """Refuse what can't be compared, before anything is opened."""
    if a == b:
        raise click.UsageError(f"A and B are the same: {a}")
    if _is_run(a) != _is_run(b):
        raise click.UsageError(
            f"{a!r} and {b!r} are a variant and a run: give two variants, or two runs (VARIANT@SEED)"
        )
    if _of_suite(a, b) and not suite:
        raise click.UsageError(
            f"{_of_suite(a, b)[0]!r} is no run id of 32 hexadecimal digits: name its suite by --suite"
        )


def _of_suite(*names: str) -> list[str]:
    """The names that mean something in a suite alone."""
    return [name for name in names if not is_id(name)]


def _is_run(name: str) -> bool:
    return "@" in name or is_id(name)


def _variants(
    store: Store, suite: Suite, names: tuple[str, str], data_dir: Path | None
) -> tuple[Comparison, dict[str, Any]]:
    """Two variants of a suite, and what they are."""
    pairing = pair_runs(suite, *names)
    a, b = (
        {pair: read_predictions(store, finished_run(store, run_id)) for pair, run_id in side.items()}
        for side in (pairing.runs_a, pairing.runs_b)
    )
    digest, truth = _truth([*a.values(), *b.values()], data_dir)
    predicted_a, predicted_b = ({pair: run.predicted for pair, run in side.items()} for side in (a, b))
    looks = len(looks_had(suite.variants[suite.variants["variant"].isin(names)]))
    about = {"suite": suite.name, "dataset": suite.dataset, "data_digest": digest, "looks": looks}
    return compare_variants(pairing, predicted_a, predicted_b, truth), about


def _runs(
    store: Store, suite: Suite | None, names: tuple[str, str], data_dir: Path | None
) -> tuple[Comparison, dict[str, Any]]:
    """Two runs, and what they are."""
    ids = [run_id(name, suite) for name in names]
    if ids[0] == ids[1]:
        raise ComparisonError(f"{names[0]} and {names[1]} are the same run")
    a, b = runs = [read_predictions(store, finished_run(store, run_id)) for run_id in ids]
    digest, truth = _truth(runs, data_dir)
    about = {
        "dataset": a.dataset,
        "data_digest": digest,
        "runs": [{name: getattr(run, name) for name in ("run_id", "suite", "variant", "seed")} for run in runs],
    }
    return compare_runs(_told_apart(a, b), a.predicted, b.predicted, truth), about


def _told_apart(a: Predictions, b: Predictions) -> tuple[str, str]:
    """What the runs are called: by variant and seed, and where these are the same, by their ids too."""
    names = [f"{run.variant}@{run.seed}" for run in (a, b)]
    if names[0] != names[1]:
        return names[0], names[1]
    return f"{names[0]} ({a.run_id[:8]})", f"{names[1]} ({b.run_id[:8]})"


def _truth(runs: Collection[Predictions], data_dir: Path | None) -> tuple[str, NDArray[np.int32]]:
    """The digest of the data that the runs were trained on, and the classes of its test images."""
    trained_on = {run.data_digest: run.dataset for run in runs}
    if len(trained_on) > 1:
        told = " and ".join(f"{name} ({digest})" for digest, name in trained_on.items())
        raise ComparisonError(f"A and B were trained on different data, {told}: they have no test images in common")
    ((digest, name),) = trained_on.items()
    return digest, load_recorded(name, digest, data_dir).test_labels


def _show(comparison: Comparison, about: dict[str, Any]) -> None:
    console = Console(highlight=False)
    images = f"{comparison.over_images.images:,} test images; differences: A − B"
    if comparison.over_seeds:
        lines = [f"{about['suite']} on {about['dataset']}: {comparison.over_images.runs} paired seeds, {images}"]
    else:
        lines = [
            f"Two runs on {about['dataset']}, {images}",
            *(f"{side}: run {run['run_id']} of {run['suite']}" for side, run in zip("AB", about["runs"], strict=True)),
        ]
    for line in lines:
        click.echo(click.wrap_text(line, WIDTH, subsequent_indent="   "))
    console.print(as_text(comparison), width=min(console.width, WIDTH))
    if about.get("looks", 1) > 1:
        line = "These seeds were looked at more than once, which p and interval over the seeds don't allow for here."
        click.echo(click.wrap_text(f"{line} Those of `mnist-bench leaderboard` do.", WIDTH))
