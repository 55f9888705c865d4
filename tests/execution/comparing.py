"""What came of runs, so that it can be compared."""

from __future__ import annotations


def results(engine, runs, models=None):
    return {result.spec.key: result for result in engine.results(runs, models or {})}


def figures(result):
    return {name: value for name, value in result.metrics.items() if name != "train_seconds"}
