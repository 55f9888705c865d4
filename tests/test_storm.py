"""A few faults of many kinds, sent through a real suite; `make faults` sends a hundred."""

from __future__ import annotations

import random

import pytest
import storm
from tracking.recordings import new_store

from mnist_bench import data, suites
from mnist_bench.execution.plan import make_plan
from mnist_bench.tracking import Outbox, Recorder
from mnist_bench.training.trainer import train

pytestmark = pytest.mark.slow

FEW = ["worker killed"] * 3 + ["database locked"] * 2 + ["disk full", "outbox littered", "second driver"]
FEW += ["driver killed", "worker out of memory"]
SEEDS, EPOCHS = 5, 60


@pytest.fixture
def undisturbed(tmp_path_factory, tmp_path):
    """What the leaderboard says where the same runs were trained one by one in this process, and nothing happened."""
    with storm.Trial(tmp_path / "calm", random.Random(0), server=False, seeds=SEEDS, epochs=EPOCHS) as trial:
        store = new_store(tmp_path_factory, trial.folder)
        plan = make_plan(suites.load(str(trial.folder / "storm.toml")), data.load(str(trial.folder / "images.npz")))
        models = {}
        with Recorder(store, Outbox(store.location.outbox)) as recorder:
            recorder.prepare(plan.agenda())
            for spec in plan.runs:
                start = models.get(spec.start_from.key) if spec.start_from else None
                result = train(spec, plan.dataset, start=start, on_epoch=lambda _: None)
                models[spec.key] = result.model
                recorder.record(result)
        return trial.leaderboard()


def test_ten_faults_lose_nothing(tmp_path, undisturbed, monkeypatch):
    """Killed, frozen, locked out and littered: afterwards each run is there once, and the leaderboard is the same."""
    monkeypatch.setattr(storm.Trial, "lock_seconds", (0.5, 1.5))
    generator = random.Random(0)
    left, suites_sent = generator.sample(FEW, len(FEW)), 0
    while left:  # a fast machine may be through with a suite before they are
        folder = tmp_path / f"storm-{suites_sent}"
        with storm.Trial(folder, generator, server=False, seeds=SEEDS, epochs=EPOCHS) as trial:
            left = left[len(storm.storm(trial, left, generator, pause_seconds=(0.05, 0.5))) :]
            trial.finish(200)
            wrong, board = trial.outcome()
        assert wrong == {}, "".join(trial.said)
        assert board == undisturbed
        suites_sent += 1


def test_two_drivers_begin_at_once_where_there_is_no_store(tmp_path):
    """Neither fails, no run is trained twice, and both say that all is done."""
    assert storm.race(tmp_path / "race", random.Random(0)) == {}
