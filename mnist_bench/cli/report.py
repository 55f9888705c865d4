"""`mnist-bench report`: a suite on one page."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mnist_bench import claims, suites
from mnist_bench.cli.claims import judgements
from mnist_bench.cli.echo import echo
from mnist_bench.cli.options import data_dir_option, suite_name, suite_option, tracking_uri_option
from mnist_bench.cli.recorded import load_recorded
from mnist_bench.data import DATASETS
from mnist_bench.errors import DataError, OutputError
from mnist_bench.reporting.evidence import find_mistakes, gather
from mnist_bench.reporting.html import Report, make_page
from mnist_bench.tracking import open_store
from mnist_bench.tracking.artifacts import attach
from mnist_bench.tracking.reader import read_suite

if TYPE_CHECKING:
    from mnist_bench.reporting.evidence import Evidence, Mistakes
    from mnist_bench.reporting.html import Page
    from mnist_bench.tracking import Store
    from mnist_bench.tracking.reader import Suite

__all__ = ["command"]

_FILE = "report.html"


@click.command("report")
@suite_option
@click.option("--dataset", metavar="NAME", help="On which dataset; otherwise the one that the suite was last run on.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_FILE,
    show_default=True,
    help="Where the page goes.",
)
@data_dir_option
@tracking_uri_option
def command(suite: str, dataset: str | None, output: Path, data_dir: Path | None, tracking_uri: str | None) -> None:
    """Tell all that was recorded of a suite on one page: answer, pictures, claims, how to run it again.

    The page stands alone: it needs no network and no script. It is added to the suite's runs in MLflow as well, with
    its pictures.
    """
    _check_place(output)
    store = open_store(tracking_uri)
    read = read_suite(store, suite_name(suite), dataset)
    evidence = gather(store, read)
    published = {name: claim for name, claim in claims.load().items() if claim.suite == read.name}
    judged = judgements(published, store, read.dataset)
    page = make_page(Report(evidence, _mistakes(store, evidence, data_dir), judged, _command(read)))
    _write(output, page.html)
    echo(f"{output}: {len(page.html.encode()) / 1e6:.1f} MB, open it in any browser")
    _log(store, read, page)


def _mistakes(store: Store, evidence: Evidence, data_dir: Path | None) -> Mistakes | str | None:
    """The images that are often got wrong; why not, where they can't be had here."""
    if evidence.provenance.empty:
        return None
    try:
        dataset = load_recorded(evidence.suite.dataset, evidence.provenance["data_digest"].iloc[0], data_dir)
    except DataError as fault:
        return str(fault)
    return find_mistakes(store, evidence, dataset.test_images, dataset.test_labels)


def _command(suite: Suite) -> str:
    """What runs a suite again as it was planned. Files of one's own were not recorded: they get a path to fill in."""
    name = suite.name if suite.name in suites.names() else f"path/to/{suite.name}.toml"
    dataset = suite.dataset if suite.dataset in DATASETS else f"path/to/{suite.dataset}"
    words = ["mnist-bench", "run", "--suite", name, "--dataset", dataset, *_seeds(suite)]
    if suite.name in suites.names():
        words += _changes(suite)
    return shlex.join(words)


def _seeds(suite: Suite) -> list[str]:
    looks = max(suite.variants["looks"], key=len)
    first, last = looks[0], looks[-1]
    if len(looks) > 1 and looks == (*range(first, last, first), last):
        return ["--seeds", str(first), "--until-decided", "--max-seeds", str(last)]
    return ["--seeds", str(max(map(len, suite.variants["seeds_planned"])))]


def _changes(suite: Suite) -> list[str]:
    """What was planned otherwise than the suite's file says."""
    known = {variant.name: variant.recipe.epochs for variant in suites.load(suite.name).variants}
    planned = dict(zip(suite.variants["variant"], suite.variants["epochs"], strict=True))
    epochs = set(planned.values())
    words = ["--epochs", str(*epochs)] if len(epochs) == 1 and epochs != {known.get(name) for name in planned} else []
    return words + [word for name in planned if planned.keys() != known.keys() for word in ("--only", name)]


def _check_place(path: Path) -> None:
    """Tell before anything is gathered, which takes a while, that the page can't be written."""
    if not path.absolute().parent.is_dir():
        raise _refused(path, "no such folder")


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as fault:
        raise _refused(path, str(fault.strerror)) from fault


def _refused(path: Path, why: str) -> OutputError:
    return OutputError(f"{path}: can't be written ({why}): name another place by -o")


def _log(store: Store, suite: Suite, page: Page) -> None:
    """Add the page and the suite's pictures to the first variant's parent, the baseline's, and to each its own."""
    parents = dict(zip(suite.variants["variant"], suite.variants["run_id"], strict=True))
    files = {variant: {each.name: each.png for each in pictures} for variant, pictures in page.of_variants.items()}
    first = next(iter(parents))
    files[first] = files.get(first, {}) | {each.name: each.png for each in page.of_suite} | {_FILE: page.html.encode()}
    for variant, content in files.items():
        attach(store, parents[variant], content)
