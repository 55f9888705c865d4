"""A search's trials on real workers: begun, heard of, pruned."""

from __future__ import annotations

import time

import made_up
import pytest

from mnist_bench.errors import SchedulerError
from mnist_bench.execution.engine import Engine
from mnist_bench.execution.trials import Epoch
from mnist_bench.specs import RunResult
from mnist_bench.training.trainer import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trials(dataset):
    """Two workers that hold the made-up images."""
    with Engine(dataset, workers=2) as engine:
        yield engine.trials()


def news(trials, ended, on_epoch=lambda _: None):
    """All that is heard until so many trials have ended."""
    heard, deadline = [], time.monotonic() + 60
    while sum(isinstance(item, RunResult) for item in heard) < ended:
        assert time.monotonic() < deadline
        item = trials.news(0.1)
        if item is not None:
            heard.append(item)
        if isinstance(item, Epoch):
            on_epoch(item)
    return heard


def test_trials_train_side_by_side_and_every_epoch_is_heard_of(trials, dataset):
    """As many as there are workers; each tells the figures that it has in this process, epoch by epoch."""
    runs = {run.key: run for run in (made_up.run_spec(dataset, variant=f"trial_{n}", seed=n) for n in range(3))}
    assert trials.slots == 2
    for run in runs.values():
        trials.begin(run)
    heard = news(trials, 3)
    for run in runs.values():
        here = train(run, dataset, on_epoch=lambda _: None, prunes=lambda *_: False).history
        told = [item for item in heard if isinstance(item, Epoch) and item.spec == run]
        assert [item.number for item in told] == [1, 2]
        assert [item.figures["val_loss"] for item in told] == [epoch["val_loss"] for epoch in here]


def test_a_trial_hears_that_it_is_pruned_while_it_trains(trials, dataset):
    """Told so after its first epochs, it ends long before its last one; another one beside it goes on."""
    pruned = made_up.run_spec(dataset, variant="pruned", epochs=3000)
    other = made_up.run_spec(dataset, variant="other", epochs=40)
    trials.begin(pruned)
    trials.begin(other)
    heard = news(trials, 2, lambda epoch: trials.prune(pruned) if epoch.spec == pruned else None)
    results = {item.spec.variant: item for item in heard if isinstance(item, RunResult)}
    assert (results["pruned"].pruned, results["other"].finished) == (True, True)
    assert len(results["pruned"].history) < 1000


def test_what_can_not_be_trained_is_a_failed_trial(trials, dataset):
    """A search draws what nobody looked at before: it ends that trial, with the cause, and not the search."""
    trials.begin(made_up.run_spec(dataset, architecture="three_conv_cnn", options={"dropout": 0.2}))
    (result,) = news(trials, 1)
    assert result.cause.startswith("three_conv_cnn can't be built for 12×12 images")


def test_a_worker_with_other_code_ends_the_search(trials, dataset):
    """None of its trials would be what they say."""
    run = made_up.run_spec(dataset, variant="other_code")
    trials.begin(run.model_copy(update={"code": run.code.model_copy(update={"keras": "2.0"})}))
    with pytest.raises(SchedulerError, match="has other code or versions"):
        news(trials, 1)
