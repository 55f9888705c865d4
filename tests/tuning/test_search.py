"""The search: what is asked, told, pruned, repeated, broken off and gone on with; without training anything."""

from __future__ import annotations

import time

import pytest
from optuna.trial import TrialState
from tuning.searching import Bench, FakeTrials, result_of

from mnist_bench.errors import DataError, RunsFailedError, SpaceError
from mnist_bench.tracking.holders import holder
from mnist_bench.tuning import lease
from mnist_bench.tuning.search import standing
from mnist_bench.tuning.study import SAME_AS, keep, tried

FOUR = "replace = true\n[options]\nwidths = {layers = 1, width = [4, 8, 16, 32]}"


def states(study):
    return [trial.state.name for trial in study.trials]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_trials_are_asked_trained_and_told(bench, sampler):
    """As many as were asked for, each with its value, its run and the figures that Optuna's pages can show."""
    study = bench.search(14, sampler=sampler)
    assert states(study) == ["COMPLETE"] * 14
    assert [number for number, _ in bench.ended] == sorted(number for number, _ in bench.ended) == [*range(14)]
    for trial, (_, result) in zip(study.trials, bench.ended, strict=True):
        assert trial.value == result.kept["val_accuracy"]
        assert trial.user_attrs["parameters"] == result.metrics["parameters"]
        assert trial.params["widths.layers"] == len(result.spec.options["widths"])
        assert [*trial.intermediate_values] == [1, 2, 3, 4]
    assert tried(study)[3].result.spec == bench.ended[3][1].spec


WITH_DEFAULT = "replace = true\n[options]\nwidths = {layers = [1, 2, 4], width = [32, 64, 128, 256]}"


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_the_architectures_default_is_the_first_trial(tmp_path, dataset, sampler):
    """What is found is to be better than it; drawn on, it isn't tried again."""
    bench = Bench(tmp_path, dataset, WITH_DEFAULT)
    bench.search(1, sampler=sampler)
    study = bench.search(6, sampler=sampler)
    default = bench.subject.run(0, {}, {}).key
    assert [run.key == default for run in bench.trials.begun].count(True) == 0
    assert tried(study)[0].result.spec.key == default


def test_a_part_that_can_not_be_held_out_is_refused_before_there_is_a_study(tmp_path, dataset):
    """So that the mended space can be searched under the same name."""
    with pytest.raises(DataError, match="validation = 100000 of "):
        Bench(tmp_path, dataset, FOUR + "\n[recipe]\nvalidation = 100000\n")


def test_a_trial_that_can_not_be_begun_is_not_left_running(bench, monkeypatch):
    """Whatever stops the search between asking and training."""

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(bench.subject), "run", broken)
    with pytest.raises(KeyboardInterrupt):
        bench.search(1)
    assert states(bench.study()) == ["FAIL"]


def test_a_search_says_that_its_trials_are_alive(bench, monkeypatch):
    """Again and again, so that others, on other machines, don't take them for dead."""
    monkeypatch.setattr("mnist_bench.tuning.search.BEAT_SECONDS", 0)
    beats = []

    def seen():
        beats.append(holder() | {"beat": len(beats)})
        return beats[-1]

    monkeypatch.setattr("mnist_bench.tuning.search.holder", seen)
    study = bench.search(1, trials=FakeTrials(slots=1))
    assert study.trials[0].user_attrs[lease.LEASE]["beat"] > 1


def test_as_many_train_at_a_time_as_there_are_workers(bench):
    """None waits while a worker is free, and no more are drawn than can be trained: FakeTrials would refuse."""
    bench.search(7, trials=FakeTrials(slots=3))
    assert len(bench.trials.begun) == 7


def test_going_on_draws_otherwise(bench):
    """The total counts what was there before; nothing that was drawn is drawn again."""
    bench.search(6)
    study = bench.search(12)
    assert len(study.trials) == 12
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 12
    assert len(bench.search(12).trials) == 12


def test_the_same_search_draws_the_same(tmp_path, dataset):
    """Two studies of one subject, one of them broken off and gone on with, come to the same trials."""
    drawn = []
    for name, totals in {"whole": [8], "halves": [3, 8]}.items():
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder, dataset)
        for total in totals:
            study = bench.search(total, sampler="tpe", trials=FakeTrials(slots=1))
        drawn.append([trial.params for trial in study.trials])
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_what_does_worse_is_pruned_while_it_trains(bench, pruner):
    """Some trials end early, as PRUNED, with the epochs that they got through; the best one is never among them."""
    study = bench.search(40, pruner=pruner)
    pruned = [trial for trial in study.trials if trial.state == TrialState.PRUNED]
    assert pruned
    assert all(0 < len(trial.intermediate_values) < 4 for trial in pruned)
    assert study.best_trial.value == max(trial.value for trial in study.trials)
    assert standing(study).pruned == len(pruned)
    assert standing(study).best == (study.best_trial.value, study.best_trial.number)


def test_nothing_is_trained_twice(tmp_path, dataset):
    """In a space of four points, twelve trials are trained four times; the others have the values of these."""
    bench = Bench(tmp_path, dataset, FOUR)
    study = bench.search(12)
    assert len({run.key for run in bench.trials.begun}) == len(bench.trials.begun) == 4
    assert states(study) == ["COMPLETE"] * 12
    for trial in study.trials:
        if SAME_AS in trial.user_attrs:
            assert trial.params == study.trials[trial.user_attrs[SAME_AS]].params
            assert trial.value == study.trials[trial.user_attrs[SAME_AS]].value
    assert len(tried(study)) == 4
    assert standing(study).ended == 12


def test_a_grid_is_gone_through_once(tmp_path, dataset):
    """It ends where there are no more points, whatever the total; and goes on where it stopped."""
    bench = Bench(tmp_path, dataset, FOUR)
    assert len(bench.search(3, sampler="grid").trials) == 3
    study = bench.search(50, sampler="grid")
    assert sorted(trial.params["widths.1"] for trial in study.trials) == [4, 8, 16, 32]


def test_a_continuous_space_has_no_grid(bench):
    """It is told so before anything is drawn."""
    with pytest.raises(SpaceError, match="learning_rate is continuous"):
        bench.search(3, sampler="grid")


def test_a_failed_trial_is_kept_with_its_cause_and_the_search_goes_on(bench):
    """It counts as one of the total, and is told apart from the others."""
    study = bench.search(10, trials=FakeTrials(fails=lambda run: "it fell over" if run.variant == "trial_3" else None))
    assert states(study).count("FAIL") == 1
    assert study.trials[3].user_attrs["cause"] == "it fell over"
    assert (standing(study).complete, standing(study).failed) == (9, 1)


def test_five_that_all_fail_end_the_search(bench):
    """With the cause; and what else was under way is not left RUNNING."""
    with pytest.raises(RunsFailedError, match="the first 5 trials all failed, the last of them: no room"):
        bench.search(50, trials=FakeTrials(slots=3, fails=lambda _: "no room"))
    assert len(bench.ended) == 5
    assert set(states(bench.study())) == {"FAIL"}


def test_one_that_finishes_keeps_a_search_with_many_failures_going(bench):
    """Not every space is fit everywhere."""
    study = bench.search(9, trials=FakeTrials(slots=1, fails=lambda run: "no" if run.variant != "trial_4" else None))
    assert states(study).count("FAIL") == 8


def test_no_time_no_more_trials(bench):
    """What is under way when the time is over is finished; nothing is begun after it."""
    assert states(bench.search(50, timeout_seconds=0)) == []


class Interrupted(FakeTrials):
    """Its user presses Ctrl-C when three trials have ended."""

    ends = 0

    def news(self, timeout):
        heard = super().news(timeout)
        self.ends += hasattr(heard, "history")
        if self.ends == 4:
            raise KeyboardInterrupt
        return heard


def test_what_is_broken_off_is_trained_again(bench):
    """Ctrl-C leaves nothing RUNNING; what was under way doesn't count, and the total is reached by others."""
    with pytest.raises(KeyboardInterrupt):
        bench.search(6, trials=Interrupted())
    assert sorted(states(bench.study())) == ["COMPLETE"] * 3 + ["FAIL"] * 2
    study = bench.search(6)
    assert standing(study).ended == 6
    assert standing(study).failed == 0


def dead(held):
    """The lease of a process that is no more."""
    return held | {"process_started": held["process_started"] - 1}


def left_running(bench, held, then=lambda trial: None):
    """A study with one trial RUNNING, as a killed search leaves it."""
    study = bench.study()
    trial = study.ask()
    spec = bench.subject.run(trial.number, *bench.subject.space.suggest(trial))
    if held:
        trial.set_user_attr(lease.LEASE, held)
    then(trial)
    return spec


def test_the_trials_of_a_killed_search_are_failed(bench):
    """They are not left RUNNING for ever, and don't count."""
    left_running(bench, dead(holder()))
    study = bench.search(2)
    assert states(study)[0] == "FAIL"
    assert standing(study).ended == 2


def test_a_trial_that_was_noted_but_not_told_is_not_lost(bench):
    """A search that is killed between the two steps has the trial nevertheless, with its value."""
    study = bench.study()
    trial = study.ask()
    spec = bench.subject.run(0, *bench.subject.space.suggest(trial))
    trial.set_user_attr(lease.LEASE, dead(holder()))
    keep(trial, result_of(spec))
    study = bench.search(1)
    assert states(study) == ["COMPLETE"]
    assert study.trials[0].value == result_of(spec).kept["val_accuracy"]


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_what_a_killed_search_left_in_the_queue_is_taken_up(tmp_path, dataset, sampler):
    """Nothing is left WAITING for ever."""
    bench = Bench(tmp_path, dataset, FOUR)
    point = {} if sampler == "random" else {"widths.1": 8}
    bench.study().enqueue_trial(point, user_attrs={lease.LEASE: dead(holder())})
    study = bench.search(4, sampler=sampler)
    assert states(study) == ["COMPLETE"] * 4


def test_the_trials_of_another_search_are_let_be(bench):
    """Neither those of a process that lives, here or elsewhere, nor any that are just begun; they count as taken."""
    elsewhere = holder() | {"host": "elsewhere", "beat": time.time() - 60}
    for held in (holder(), elsewhere, None):
        left_running(bench, held)
    study = bench.search(4)
    assert states(study) == ["RUNNING"] * 3 + ["COMPLETE"]


def test_a_silent_search_elsewhere_is_taken_for_dead(bench):
    """After some minutes without a sign of life."""
    left_running(bench, holder() | {"host": "elsewhere", "beat": time.time() - 600})
    assert states(bench.search(1)) == ["FAIL", "COMPLETE"]


def test_what_another_search_trains_is_waited_for(tmp_path, dataset):
    """The same configuration, drawn by two searches at the same time, is trained by the first one alone."""
    bench = Bench(tmp_path, dataset, "replace = true\n[options]\nwidths = {layers = 1, width = 8}")
    study = bench.study()
    other = study.ask()
    spec = bench.subject.run(0, *bench.subject.space.suggest(other))
    other.set_user_attr(lease.LEASE, holder())
    other.set_user_attr("run_key", spec.key)

    class Waiting(FakeTrials):
        def news(self, timeout):
            keep(other, result_of(spec))
            study.tell(other, 0.5)
            return super().news(timeout)

    study = bench.search(2, trials=Waiting())
    assert bench.trials.begun == []
    assert [trial.value for trial in study.trials] == [0.5, 0.5]


def test_several_objectives_have_a_front_and_no_pruning(tmp_path, dataset):
    """Accuracy and size: small networks and good ones are both among the best."""
    bench = Bench(tmp_path, dataset, objectives=("accuracy", "parameters"))
    study = bench.search(20, sampler="tpe", pruner="median")
    assert states(study) == ["COMPLETE"] * 20
    assert study.metric_names == ["accuracy", "parameters"]
    front = [trial.values for trial in study.best_trials]
    assert min(trial.values[1] for trial in study.trials) in [parameters for _, parameters in front]
    assert standing(study).best[0] == max(accuracy for accuracy, _ in front)
