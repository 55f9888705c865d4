"""`mnist-bench plan`."""

from __future__ import annotations

import statistics

import pytest
from click.testing import CliRunner
from made_up import run_spec
from tracking.recordings import new_store, record, run_result

from mnist_bench import suites
from mnist_bench.cli.plan import command as plan
from mnist_bench.specs import DatasetRef

ABLATIONS = len(suites.load("ablations").variants) - 1


def _plan(folder, *options):
    arguments = ["--dataset", "mnist-5k", "--tracking-uri", f"sqlite:///{folder}/mlruns/mlflow.db", *options]
    shown = CliRunner().invoke(plan, arguments, catch_exceptions=False)
    assert shown.exit_code == 0
    assert max(map(len, shown.stdout.splitlines())) <= 85  # one line of running text, which a terminal wraps
    return " ".join(shown.stdout.split())


def test_before_anything_was_run(tmp_path):
    """Runs and cost are told, what can be shown rests on a guess that says so, and no store is made."""
    shown = _plan(tmp_path, "--suite", "ablations")
    assert f"{10 * (1 + ABLATIONS)} runs to do" in shown
    assert "two hours on mnist" in shown
    assert shown.count("a guess") == ABLATIONS
    assert "What 10 seeds can show" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        (
            ["--suite", "ablations", "--seeds", "5"],
            f"with 5 seeds p is never below 0.062, and with {ABLATIONS} to be told",
        ),
        (["--suite", "references"], "no 'helps' and no 'hurts' can come out: with 3 seeds"),
        (["--suite", "smoke", "--seeds", "10", "--spread", "0.5"], "1 of 1 comparisons may miss an effect of 0.1 pp"),
    ],
)
def test_it_warns_where_no_verdict_is_reachable(tmp_path, options, warning):
    """Too few seeds, too many comparisons, too wide a spread: told before they are trained."""
    shown = _plan(tmp_path, *options)
    assert warning in shown[shown.index("Warning: ") :]


def test_it_goes_by_the_spread_that_was_seen(tmp_path_factory, tmp_path):
    """Once pairs are recorded, their differences' deviation replaces the guess; a stated one replaces both."""
    labels = {"suite": "smoke", "dataset": DatasetRef(name="mnist-5k", digest="d", split="s")}
    scores = {"baseline": [0.90, 0.91, 0.90], "mlp": [0.93, 0.95, 0.96]}
    specs = {
        (name, seed): run_spec(seed=seed, variant=name, options={"name": name}).model_copy(update=labels)
        for seed in range(3)
        for name in scores
    }
    results = [run_result(spec, score=scores[name][seed]) for (name, seed), spec in specs.items()]
    record(new_store(tmp_path_factory, tmp_path), [*specs.values()], results)
    seen = statistics.stdev([3, 4, 6])
    assert f"mlp {seen:.3f} 3 pairs" in _plan(tmp_path, "--suite", "smoke")
    assert "mlp 0.200 --spread" in _plan(tmp_path, "--suite", "smoke", "--spread", "0.2")
