"""The leaderboard's forms."""

from __future__ import annotations

import io
import json
import math

import pandas as pd
import pytest
from rich.console import Console

from mnist_bench.reporting import tables

BOARD = pd.DataFrame(
    [
        ["augmentation_rotation_50", "variant", 10, 0, 10, 99.125, 99.0, 99.25, 0.03, 5_024_330.0, 1234.56],
        ["baseline", "baseline", 9, 1, 10, 98.5, 98.25, 98.75, 0.05, 7850.0, 61.04],
        ["unfinished", "variant", 0, 0, 10, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan],
    ],
    columns=[
        *("variant", "role", "finished", "failed", "planned", "test_accuracy_percent", "low_percent", "high_percent"),
        *("test_loss", "parameters", "seconds_a_run"),
    ],
)
FAILED = pd.DataFrame([["baseline", 3, "the loss was nan"]], columns=["variant", "seed", "cause"])


def test_the_table_stands_in_80_columns():
    """No cell is wrapped or cut, and each says what it is of."""
    terminal = io.StringIO()
    Console(file=terminal, width=80).print(tables.as_table(BOARD))
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    text = terminal.getvalue()
    assert all(name in text for name in BOARD["variant"])
    for cell in ("accuracy", "95% interval", "99.12", "99.00 to 99.25", "9/10", "5,024,330", "1,234.6"):
        assert cell in text


def test_markdown_is_a_table():
    """Each row has the header's cells, numbers to the right; what is unknown is a dash."""
    lines = tables.as_markdown(BOARD).splitlines()
    assert lines[:2] == [
        "| variant | test accuracy | 95% interval, percent | runs | parameters | seconds a run |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    assert lines[3] == "| baseline | 98.50 | 98.25 to 98.75 | 9/10 | 7,850 | 61.0 |"
    assert lines[4] == "| unfinished | – | – | 0/10 | – | – |"


def test_csv_comes_back_equal():
    """All columns are there, unrounded."""
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(tables.as_csv(BOARD))), BOARD)


def test_json_holds_all_of_it():
    """Variants, failed runs and what they are about; null where a figure is unknown."""
    read = json.loads(tables.as_json(BOARD, FAILED, {"suite": "ablations"}))
    assert read["suite"] == "ablations"
    assert read["variants"][1]["test_accuracy_percent"] == pytest.approx(98.5)
    assert read["variants"][2]["test_loss"] is None
    assert read["failed_runs"] == [{"variant": "baseline", "seed": 3, "cause": "the loss was nan"}]
