"""The best, the simplest that is as good, and where more stops helping."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_up import run_spec
from tuning.searching import result_of

from mnist_bench.tuning.choice import _saturation, ranked, saturations, simplest, standard_error
from mnist_bench.tuning.study import Tried


def trial(number, *, accuracy=0.9, loss=0.5, parameters=100, widths=(8,), **changes):
    """A trial that came to these figures."""
    spec = run_spec(options={"widths": list(widths), "activation": "relu"})
    history = ({"val_accuracy": accuracy, "val_loss": loss},)
    result = replace(result_of(spec), history=history, metrics={"parameters": float(parameters)}, **changes)
    return Tried(number, {}, result)


def test_the_best_are_ranked_by_accuracy_then_loss():
    """Neither failed nor pruned ones are among them, whatever they came to."""
    trials = [
        trial(0, accuracy=0.9, loss=0.4),
        trial(1, accuracy=0.95),
        trial(2, accuracy=0.9, loss=0.3),
        trial(3, accuracy=0.99, pruned=True),
        trial(4, accuracy=0.99, cause="no"),
    ]
    assert [each.number for each in ranked(trials)] == [1, 2, 0]


def test_the_simplest_is_within_one_standard_error_of_the_best():
    """Of 99% of 9,900 images one standard error is 0.1 pp: what is just within counts, what is just beyond doesn't."""
    assert standard_error(0.99, 9_900) == pytest.approx(0.001)
    trials = [
        trial(0, accuracy=0.99, parameters=900),
        trial(1, accuracy=0.98901, parameters=500),
        trial(2, accuracy=0.98899, parameters=100),
        trial(3, accuracy=0.9895, parameters=700),
    ]
    assert simplest(trials, 9_900).number == 1


def test_without_a_finished_trial_there_is_no_simplest():
    """Nothing is made up."""
    assert simplest([trial(0, cause="no")], 100) is None


def losses_by_layers(means, count, sd=0.01):
    """Trials of 1, 2, … layers, so many of each, with losses about these means."""
    generator = np.random.default_rng(0)
    draws = [(layers, generator.normal(mean, sd)) for layers, mean in enumerate(means, 1) for _ in range(count)]
    return [trial(number, loss=loss, widths=[16] * layers) for number, (layers, loss) in enumerate(draws)]


def found(trials, factor="widths: layers"):
    return next(saturation for saturation in saturations(trials) if saturation.factor == factor)


def test_more_stops_helping_where_the_loss_stops_falling():
    """Two layers are better than one, and three or four no better than two."""
    saturation = found(losses_by_layers([0.5, 0.3, 0.3, 0.3], 10))
    assert saturation.point == 2
    assert "from 2 on, more brings no significant decrease" in saturation.sentence
    assert "10 trials there and 20 above" in saturation.sentence
    assert [level.value for level in saturation.levels] == [1, 2, 3, 4]


def test_a_loss_that_falls_to_the_end_has_no_such_point():
    """The space was too narrow to tell."""
    saturation = found(losses_by_layers([0.5, 0.4, 0.3], 10))
    assert saturation.point is None
    assert "still falls beyond 2 (p < 0.0001), towards 3, the most that was tried: widen" in saturation.sentence


def test_what_was_not_tested_is_not_claimed():
    """Of the highest levels there are too few trials: all that is known is that the lowest is beaten."""
    trials = losses_by_layers([0.5, 0.3], 10)
    more = [trial(100 + layers, loss=0.1 * layers - 0.1, widths=[16] * layers) for layers in (3, 4)]
    saturation = found([*trials[:10], *trials[10:12], *more])
    assert (saturation.point, saturation.tested) == (None, 1)
    assert saturation.sentence.endswith("beyond 1 (p = 0.001); there are too few trials to tell where it stops")


def test_levels_that_could_not_be_tested_are_named():
    """That nobody knows whether one layer does is not left to be guessed."""
    trials = losses_by_layers([0.3, 0.3, 0.3], 10)
    saturation = found([*trials[:3], *trials[10:]])
    assert saturation.point == 2
    assert saturation.sentence.endswith(", 10 trials there and 10 above; too few trials of 1 to be tested)")


def test_what_never_helped_stops_at_the_least():
    """One layer is as good as more."""
    assert found(losses_by_layers([0.3, 0.3, 0.3], 10)).point == 1


def test_few_trials_tell_nothing():
    """Three of each can't be told apart by ranks, and no point is named."""
    saturation = found(losses_by_layers([0.5, 0.3], 3))
    assert (saturation.point, math.isnan(saturation.p)) == (None, True)
    assert "too few trials" in saturation.sentence


def test_a_point_that_is_none_is_seldom_passed_over():
    """Where more never helps, one search in twenty at most says that it does: 5% of 200, and their chance."""
    generator = np.random.default_rng(1)
    drawn = ({level: [*generator.normal(size=8)] for level in (1, 2, 3, 4)} for _ in range(200))
    wrong = sum(_saturation("layers", losses).point != 1 for losses in drawn)
    assert 0 < wrong / 200 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_widths_are_taken_by_powers_of_two():
    """Of a list of widths the geometric mean counts; a network without such layers has none."""
    trials = [trial(0, widths=[8, 32]), trial(1, widths=[15]), trial(2, widths=[60]), trial(3, widths=[])]
    assert [level.value for level in found(trials, "widths: width").levels] == [16, 64]
    assert [level.value for level in found(trials).levels] == [0, 1, 2]


def test_what_does_not_differ_is_no_factor():
    """Nothing is said of it."""
    assert saturations([trial(number) for number in range(9)]) == []
