"""A search while MLflow is away; study and recorder are made up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mnist_bench.cli import search
from mnist_bench.errors import StoreError


class Recorder:
    """Records each trial once, unless it is away."""

    def __init__(self):
        self.away, self.recorded = False, []

    def record(self, number, _):
        if self.away:
            raise StoreError("tracking store: unreachable")
        if number not in self.recorded:
            self.recorded.append(number)


@pytest.fixture
def ended(monkeypatch):
    """The trials that ended so far, by number."""
    numbers = []
    monkeypatch.setattr(search, "tried", lambda _: [SimpleNamespace(number=n, result=None) for n in numbers])
    return numbers


def test_a_search_goes_on_while_mlflow_is_away(monkeypatch, ended):
    """Nothing is raised, one line tells of it, and what is missing is recorded once MLflow answers."""
    recorder, said = Recorder(), []
    mirror = search.Mirror(None, recorder, said.append)
    for number in range(6):
        recorder.away = 1 <= number <= 4
        monkeypatch.setattr("mnist_bench.tracking.patience.Patience.due", number != 3)
        ended.append(number)
        mirror.record(number, None)
        assert recorder.recorded == ([0] if number < 5 else [0, 1, 2, 3, 4, 5])
    (line,) = said
    assert line == "tracking store: unreachable. The search goes on; the same command records later what is missing."
