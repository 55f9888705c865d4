"""The leaderboard's forms."""

from __future__ import annotations

import io
import json
import math

import pandas as pd
import pytest
from made_up import recorded_suite
from rich.console import Console

from mnist_bench.analysis.speedrun import speedrun
from mnist_bench.reporting import tables

_NOTHING = dict.fromkeys(
    (
        "test_accuracy_percent",
        "high_percent",
        "test_loss",
        "parameters",
        "seconds_a_run",
        "effect_pp",
        "effect_low_pp",
        "effect_high_pp",
    ),
    math.nan,
)
BOARD = pd.DataFrame(
    [
        _NOTHING
        | {"rank": 1, "variant": "gentle_augmentation", "role": "variant", "finished": 10, "planned": 10}
        | {"test_accuracy_percent": 99.125, "high_percent": 99.25, "parameters": 524_330.0, "seconds_a_run": 1234.56}
        | {"effect_pp": 0.625, "effect_low_pp": -0.25, "effect_high_pp": 1.5, "verdict": "inconclusive"},
        _NOTHING
        | {"rank": 2, "variant": "baseline", "role": "baseline", "finished": 9, "planned": 10}
        | {"test_accuracy_percent": 98.5, "high_percent": 98.75, "parameters": 7850.0, "seconds_a_run": 61.04},
        _NOTHING | {"variant": "unfinished", "role": "variant", "finished": 0, "planned": 10},
    ]
).astype({"rank": "Int64"})
FAILED = pd.DataFrame([["baseline", 3, "the loss was nan"]], columns=["variant", "seed", "cause"])


def test_the_table_stands_in_80_columns():
    """No cell is wrapped or cut, and each says what it is of."""
    terminal = io.StringIO()
    Console(file=terminal, width=80).print(tables.as_table(BOARD))
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    text = terminal.getvalue()
    assert all(name in text for name in BOARD["variant"])
    for cell in ("test acc.", "99.12 ± 0.12", "+0.62", "inconclusive", "9/10", "524,330", "1,234.6"):
        assert cell in text


def test_markdown_is_a_table():
    """Each row has the header's cells, numbers to the right, effects with their intervals; the unknown is a dash."""
    lines = tables.as_markdown(BOARD).splitlines()
    assert lines[:2] == [
        "| rank | variant | test acc., % ± 95% | effect, pp | verdict | runs | parameters | seconds a run |",
        "| ---: | --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    assert "| +0.62 [−0.25, +1.50] | inconclusive |" in lines[2]
    assert lines[3] == "| 2 | baseline | 98.50 ± 0.25 | – | baseline | 9/10 | 7,850 | 61.0 |"
    assert lines[4] == "| – | unfinished | – | – | – | 0/10 | – | – |"


def test_csv_comes_back_equal():
    """All columns are there, unrounded."""
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(tables.as_csv(BOARD)), dtype={"rank": "Int64"}), BOARD)


def test_json_holds_all_of_it():
    """Variants, failed runs and what they are about; null where a figure is unknown."""
    read = json.loads(tables.as_json(BOARD, FAILED, {"suite": "ablations"}))
    assert read["suite"] == "ablations"
    assert read["variants"][1]["test_accuracy_percent"] == pytest.approx(98.5)
    assert read["variants"][2]["test_loss"] is None
    assert read["failed_runs"] == [{"variant": "baseline", "seed": 3, "cause": "the loss was nan"}]


def test_a_speedrun_stands_in_80_columns():
    """Seconds where the mark is reached, a dash where not; in Markdown the same cells."""
    board = speedrun(recorded_suite({"baseline": [0.98, 0.99], "fast": [0.991, 0.993]}))
    terminal = io.StringIO()
    Console(file=terminal, width=80).print(tables.speedrun_table(board))
    assert max(map(len, terminal.getvalue().splitlines())) <= 80
    assert "5.50 ± 6.35" in terminal.getvalue()
    assert tables.speedrun_markdown(board).splitlines() == [
        "| variant | seconds to 99%, ± 95% | epochs | test acc., % ± 95% | runs |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| fast | 5.50 ± 6.35 | 2 | 99.20 ± 1.27 | 2/2 |",
        "| baseline | – | 2 | 98.50 ± 6.35 | 2/2 |",
    ]
