"""`mnist-bench tune`: numbers and widths of layers, searched by Optuna and confirmed on fresh seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mnist_bench.cli.echo import echo
from mnist_bench.cli.options import (
    FiniteRange,
    data_dir_option,
    dataset_option,
    scheduler_option,
    tracking_uri_option,
    workers_option,
    workers_or_scheduler,
)
from mnist_bench.cli.progress import SearchProgress, SuiteProgress, verbosity
from mnist_bench.errors import RunsFailedError, StudyError
from mnist_bench.values import NAME, NAMED

if TYPE_CHECKING:
    from optuna import Study

    from mnist_bench.tracking import Location, Store
    from mnist_bench.tracking.studies import StudyRecorder
    from mnist_bench.tuning.choice import Saturation
    from mnist_bench.tuning.study import Subject, Tried

__all__ = ["command"]

_positive = click.IntRange(min=1)
_SUITE = "{study}-top"  # what confirms a study
_ONE_OBJECTIVE = "accuracy"


@click.command("tune")
@click.option("--architecture", metavar="NAME", default="convnet", show_default=True, help="What is searched.")
@click.option(
    "--trials", type=_positive, default=50, show_default=True, help="How many the study is to have, old ones included."
)
@dataset_option
@data_dir_option
@click.option("--epochs", type=_positive, default=10, show_default=True, help="How many a trial may have.")
@click.option(
    "--space",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file that narrows or replaces the space that stands beside the architecture.",
)
@click.option("--storage", metavar="URL", help="Optuna's storage; otherwise optuna.db beside the MLflow store.")
@click.option("--study", metavar="NAME", help="The study to begin or go on with; otherwise ARCHITECTURE-DATASET.")
@click.option("--sampler", type=click.Choice(["tpe", "random", "grid", "cmaes"]), default="tpe", show_default=True)
@click.option(
    "--pruner",
    type=click.Choice(["median", "hyperband", "none"]),
    help="What ends unpromising trials early; median, or none where there are several objectives.",
)
@click.option(
    "--objectives",
    type=click.Choice([_ONE_OBJECTIVE, "accuracy,parameters", "accuracy,seconds"]),
    default=_ONE_OBJECTIVE,
    show_default=True,
    help="On validation, never on test; seconds are those of training.",
)
@workers_option
@scheduler_option
@click.option("--timeout", type=FiniteRange(min=0), metavar="SECONDS", help="Begin no trial after this time.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="How many of the best are trained again on fresh seeds, beside the default; 0 for none.",
)
@click.option("--seeds", type=_positive, default=5, show_default=True, help="On how many fresh seeds.")
@tracking_uri_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but what was found, and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Print a line a trial, under the bar too.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    architecture: str,
    trials: int,
    dataset: str,
    data_dir: Path | None,
    epochs: int,
    space: Path | None,
    storage: str | None,
    study: str | None,
    sampler: str,
    pruner: str | None,
    objectives: str,
    workers: int | None,
    scheduler: str | None,
    timeout: float | None,
    top: int,
    seeds: int,
    tracking_uri: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Search numbers and widths of layers by Optuna, and train the best again on fresh seeds.

    Trials are judged by validation images; the test images are seen by the confirming runs alone, once each.
    """
    from mnist_bench import data  # noqa: PLC0415 - `--help` needs none of these, here and below
    from mnist_bench.cli.search import carry_on, findings, recorder_of  # noqa: PLC0415
    from mnist_bench.execution.local import load_ahead  # noqa: PLC0415
    from mnist_bench.tracking import locate, open_store  # noqa: PLC0415
    from mnist_bench.tuning.choice import saturations  # noqa: PLC0415
    from mnist_bench.tuning.sampling import Draws, make_pruner  # noqa: PLC0415
    from mnist_bench.tuning.space import load_space  # noqa: PLC0415
    from mnist_bench.tuning.storage import open_study, storage_answering  # noqa: PLC0415
    from mnist_bench.tuning.study import Subject  # noqa: PLC0415

    engine = workers_or_scheduler(workers, scheduler)
    _check(sampler, pruner, objectives)
    shown = verbosity(quiet=quiet, verbose=verbose)
    console = Console(stderr=True, quiet=quiet, highlight=False)
    searched, location = load_space(architecture, space), locate(tracking_uri)
    if not scheduler:
        load_ahead()
    draws, loaded = Draws(sampler, searched), data.load(dataset, data_dir)
    if loaded.note:
        console.print(loaded.note, markup=False, soft_wrap=True)
    name = _name(study or f"{architecture}-{loaded.name}")
    subject = Subject(name, searched, loaded, epochs, tuple(objectives.split(",")))
    store = open_store(tracking_uri, create=True)
    pruned_by = make_pruner(pruner or ("median" if objectives == _ONE_OBJECTIVE else "none"), epochs)
    opened = open_study(storage or _storage(location), subject, pruned_by)
    recorder = recorder_of(opened, subject, store)
    progress = SearchProgress(console, shown)
    with storage_answering():
        found = carry_on(
            opened, subject, draws, recorder, progress, total=trials, timeout_seconds=timeout, engine=engine
        )
    levels = saturations(found)
    for line in findings(opened, subject, found, levels):
        echo(line)
    _draw(opened, found, levels, recorder)
    if top:
        confirming = SuiteProgress(console, shown)
        _confirm(subject, found, store, recorder, confirming, top=top, seeds=seeds, dataset=dataset, engine=engine)


def _check(sampler: str, pruner: str | None, objectives: str) -> None:
    """Refuse what doesn't go together."""
    if objectives != _ONE_OBJECTIVE and pruner not in {None, "none"}:
        raise click.UsageError(f"--pruner {pruner} is for one objective: with {objectives} nothing is pruned")
    if objectives != _ONE_OBJECTIVE and sampler == "cmaes":
        raise click.UsageError(f"--sampler cmaes is for one objective: with {objectives} take tpe or random")


def _name(study: str) -> str:
    suite = _SUITE.format(study=study)
    if not NAME.fullmatch(suite):
        raise click.UsageError(f"--study {study!r}: the suite that confirms it, {suite!r}, has to be {NAMED}")
    return study


def _storage(location: Location) -> str:
    """The address of the default storage, whose folder is made."""
    from mnist_bench.tracking.location import SQLITE, escaped  # noqa: PLC0415 - as in `command`

    try:
        location.folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StudyError(f"{location.folder}: can't be made ({fault.strerror}): name a --storage elsewhere") from fault
    return f"{SQLITE}{escaped(location.folder / 'optuna.db')}"


def _draw(study: Study, found: list[Tried], levels: list[Saturation], recorder: StudyRecorder) -> None:
    """Give the study's parent in MLflow its pictures, and what it came to."""
    from mnist_bench.tuning.choice import ranked  # noqa: PLC0415 - as in `command`
    from mnist_bench.tuning.pictures import pictures  # noqa: PLC0415

    best = ranked(found)[0]
    figures = {"best_val_accuracy": best.accuracy, "best_val_loss": best.loss, "best_parameters": best.parameters}
    words = {"best_trial": str(best.number), "saturation": "\n".join(level.sentence for level in levels)}
    recorder.conclude(figures, words, pictures(study, levels))


def _confirm(  # noqa: PLR0913 - what is confirmed, and all that take part
    subject: Subject,
    found: list[Tried],
    store: Store,
    recorder: StudyRecorder,
    progress: SuiteProgress,
    *,
    top: int,
    seeds: int,
    dataset: str,
    engine: dict[str, Any],
) -> None:
    """Train the best again on fresh seeds, beside the default, and show how they rank and what was luck."""
    from mnist_bench import suites  # noqa: PLC0415 - as in `command`
    from mnist_bench.cli.round import carry_out  # noqa: PLC0415
    from mnist_bench.execution.plan import make_plan  # noqa: PLC0415
    from mnist_bench.reporting.tables import as_table  # noqa: PLC0415
    from mnist_bench.tracking.reader import read_suite  # noqa: PLC0415
    from mnist_bench.tuning.confirm import chosen, fresh_accuracies, luck, suite_toml, write_suite  # noqa: PLC0415

    default = next((each for each in found if subject.is_default(each)), None)
    best = chosen(subject, found, top)
    if not best:
        echo("Nothing but the architecture's default has finished: there is nothing to confirm.")
        return
    path = store.location.folder / "tuned" / f"{_SUITE.format(study=subject.study)}.toml"
    text = suite_toml(subject, best, seeds)
    write_suite(path, text)
    recorder.conclude({}, {}, {path.name: text.encode()})
    suite = suites.load(str(path))
    board = carry_out(make_plan(suite, subject.dataset), store, progress, keep_models=False, engine=engine)
    Console(highlight=False).print(as_table(board))
    for sentence in board["sentence"].dropna():
        echo(sentence)
    fresh = fresh_accuracies(store, read_suite(store, suite.name, subject.dataset.name))
    lucky = luck(best["top_1"], fresh, default)
    if lucky:
        echo(lucky.sentence)
        recorder.conclude({"luck_pp": lucky.searched - lucky.fresh.mean}, {"luck": lucky.sentence}, {})
    click.echo(f"Next, with more seeds: mnist-bench run --dataset {dataset} --suite {path}")
    if progress.failed:
        raise RunsFailedError(f"{len(progress.failed)} of the confirming runs failed: {', '.join(progress.failures)}")
