"""`mnist-bench show`."""

from __future__ import annotations

import shutil
import sys

import pytest
from click.testing import CliRunner

from mnist_bench.cli.show import command as show
from mnist_bench.errors import ArchitectureError, ComparisonError
from mnist_bench.tracking.artifacts import fetch
from mnist_bench.tracking.reader import read_suite

pytestmark = pytest.mark.slow

PICTURES = {"curves.png", "confusion.png", "test_images.png"}


def _show(store, *arguments):
    shown = CliRunner().invoke(
        show, [*arguments, "--tracking-uri", store.location.uri], catch_exceptions=False, env={"COLUMNS": "80"}
    )
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout


def test_a_variant_is_shown_by_its_best_run(digits_store, tmp_path, monkeypatch):
    """Figures and layers stand in 80 columns; pictures go to a folder named after the run, and to the run in MLflow."""
    monkeypatch.chdir(tmp_path)
    suite = read_suite(digits_store, "made_up")
    best = suite.runs.loc[suite.runs["val_accuracy"].idxmax()]
    shown = _show(digits_store, "baseline", "--suite", "made_up")
    assert max(map(len, shown.splitlines())) <= 80
    for fact in (
        f"baseline, seed {best['seed']}, of made_up on mnist-5k: run {best['run_id']}",
        f"test accuracy {best['test_accuracy']:.2%}",
        f"{100 * best['val_accuracy']:.2f}",  # of the last epoch
        f"{100 * best['test_recall_3']:.1f}",
        "(Dense)",
        "Total params: 50,890",
    ):
        assert fact in " ".join(shown.split())
    folder = tmp_path / f"made_up-baseline-{best['seed']}"
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(written) == PICTURES | ({"model.png"} if shutil.which("dot") else set())
    run = digits_store.client.get_run(best["run_id"])
    for name, content in written.items():
        assert content.startswith(b"\x89PNG")
        assert f"{folder.name}/{name}" in shown
        assert fetch(digits_store, run.info.artifact_uri, name) == content


def test_a_run_is_shown_by_id_or_seed_and_without_graphviz(digits_store, tmp_path, monkeypatch):
    """Both names mean the same run; where Graphviz isn't installed, one line says so, and the rest is shown."""
    monkeypatch.setenv("PATH", str(tmp_path))
    runs = read_suite(digits_store, "made_up").runs.set_index("seed")["run_id"]
    by_id = _show(digits_store, runs[1], "-o", str(tmp_path / "a"))
    by_seed = _show(digits_store, "baseline@1", "--suite", "made_up", "-o", str(tmp_path / "a"))
    assert f"run {runs[1]}" in " ".join(by_id.split())
    assert by_id.partition("Model:")[0] == by_seed.partition("Model:")[0]
    assert by_id.count("install Graphviz") == 1
    assert {path.name for path in (tmp_path / "a").iterdir()} == PICTURES


def test_code_that_has_changed_since_is_told(digits_store, tmp_path, monkeypatch):
    """The layers are built by today's code: where that is another than the run's, a line says so."""
    module = sys.modules[show.callback.__module__]
    other = module.code_of("mlp").model_copy(update={"architecture": "other"})
    monkeypatch.setattr(module, "code_of", lambda architecture: other)
    shown = _show(digits_store, "baseline", "--suite", "made_up", "-o", str(tmp_path))
    assert "The code of mlp has changed since this run" in " ".join(shown.split())


def test_a_model_that_can_not_be_built_any_more_costs_no_picture(digits_store, tmp_path, monkeypatch):
    """Where the architecture's options are others since, a line says so, and the rest is shown and written."""
    module = sys.modules[show.callback.__module__]

    def refuse(*_):
        raise ArchitectureError("options.widths: unknown")

    monkeypatch.setattr(module.architectures, "resolve_options", refuse)
    shown = _show(digits_store, "baseline", "--suite", "made_up", "-o", str(tmp_path))
    assert "Its layers can't be built any more: options.widths: unknown" in " ".join(shown.split())
    assert {path.name for path in tmp_path.iterdir()} >= {"curves.png", "confusion.png", "test_images.png"}


def test_an_unknown_variant_is_answered_with_the_known(digits_store):
    """Nothing is written, and one line has the nearest name."""
    arguments = ["baselin", "--suite", "made_up", "--tracking-uri", digits_store.location.uri]
    with pytest.raises(ComparisonError, match="did you mean 'baseline'"):
        CliRunner().invoke(show, arguments, catch_exceptions=False)
