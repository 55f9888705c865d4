"""Samplers and pruners by their names here, and that the command line knows the same ones."""

from __future__ import annotations

import importlib.util

import pytest
from optuna import create_study
from tuning.searching import Bench, space_of

from mnist_bench.cli.tune import command
from mnist_bench.tuning.sampling import PRUNERS, SAMPLERS, Draws, make_pruner

FINITE = "replace = true\n[options]\nwidths = {layers = [1, 2], width = [8, 16]}"


@pytest.mark.parametrize(("option", "names"), [("sampler", SAMPLERS), ("pruner", PRUNERS)])
def test_the_command_line_offers_them_all(option, names):
    """It names them itself, since `--help` imports no Optuna."""
    (parameter,) = [parameter for parameter in command.params if parameter.name == option]
    assert tuple(parameter.type.choices) == names


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "cmaes"])
def test_each_trial_is_drawn_by_a_seed_of_its_own(tmp_path, name):
    """The same study's next trial is drawn the same again; another trial, or another search's, by another seed."""
    draws = Draws(name, space_of(tmp_path, FINITE))
    samplers = [draws.sampler(0), draws.sampler(0), draws.sampler(1), draws.sampler(0, "another")]
    first, again, *others = [sampler._rng.rng.get_state()[1].tolist() for sampler in samplers]
    assert first == again
    assert first not in others
    assert others[0] != others[1]


@pytest.mark.skipif(importlib.util.find_spec("cmaes") is None, reason="the package cmaes is not installed")
def test_cma_es_draws_what_it_can_not_draw_itself_by_another(tmp_path, dataset):
    """Numbers of layers, and widths that not every trial has, do not stop it."""
    assert len(Bench(tmp_path, dataset).search(12, sampler="cmaes").trials) == 12


@pytest.mark.parametrize("name", PRUNERS)
def test_no_trial_is_pruned_in_its_first_epochs_by_the_median(name):
    """BatchNorm's moving averages lag behind at first; and of few trials the median says little."""
    study = create_study(direction="maximize", pruner=make_pruner(name, 10))
    for _ in range(6):
        trial = study.ask()
        for epoch in range(1, 11):
            trial.report(0.9, epoch)
        study.tell(trial, 0.9)
    trial = study.ask()
    pruned = []
    for epoch in range(1, 11):
        trial.report(0.1, epoch)
        pruned.append(trial.should_prune())
    if name == "median":
        assert pruned == [False] * 2 + [True] * 8
    if name == "none":
        assert not any(pruned)
