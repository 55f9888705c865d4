"""When what failed is tried again."""

from __future__ import annotations

import pytest

from mnist_bench.tracking.patience import Patience


@pytest.fixture
def clock(monkeypatch):
    """The time, in seconds, as a list of one."""
    now = [100.0]
    monkeypatch.setattr("mnist_bench.tracking.patience.time.monotonic", lambda: now[0])
    return now


def pause(patience, clock):
    """For how many seconds it is not yet time."""
    began = clock[0]
    while not patience.due:
        clock[0] += 1
    return clock[0] - began


def test_pauses_double_up_to_a_minute(clock):
    """After failures in a row it waits longer each time, but never longer than a minute."""
    patience, pauses = Patience(), []
    for _ in range(8):
        patience.failed(took_seconds=0.1)
        pauses.append(pause(patience, clock))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    patience.worked(took_seconds=0.1)
    assert patience.due
    patience.failed(took_seconds=0.1)
    assert pause(patience, clock) == 1


@pytest.mark.parametrize("outcome", ["failed", "worked"])
def test_what_is_slow_is_left_alone_for_as_long(clock, outcome):
    """A store that takes 20 s to answer gets at most half of the driver's time."""
    patience = Patience()
    getattr(patience, outcome)(took_seconds=20.0)
    assert pause(patience, clock) == 20
