"""Leaderboards as tables for a terminal, as Markdown, CSV or JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich import box
from rich.table import Table

from mnist_bench.analysis.words import signed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

__all__ = ["as_cells", "as_csv", "as_json", "as_markdown", "as_table", "records", "speedrun_markdown", "speedrun_table"]

_HEADERS = (
    *("rank", "variant", "test acc.,\n% ± 95%", "effect,\npp", "verdict", "runs"),
    *("para-\nmeters", "seconds\na run"),
)
_BY_SECONDS = ("variant", "seconds to\n99%, ± 95%", "epochs", "test acc.,\n% ± 95%", "runs")
_WORDS = {"variant", "verdict"}  # columns that are not figures
_UNKNOWN = "–"


def as_table(board: pd.DataFrame) -> Table:
    """The leaderboard for a terminal of 80 columns or more: names are folded there, never figures.

    `runs` are the finished of the planned ones.
    """
    return _terminal(_HEADERS, [_cells(row, _effect(row)) for row in board.to_dict("records")])


def as_markdown(board: pd.DataFrame) -> str:
    """The leaderboard as a table of GitHub's Markdown, with the terminal's columns, and the effects' intervals."""
    headers, *rows = as_cells(board)
    return _markdown(headers, rows)


def speedrun_table(board: pd.DataFrame) -> Table:
    """What `analysis.speedrun` gives, for a terminal of 80 columns or more."""
    return _terminal(_BY_SECONDS, map(_speedrun_cells, board.to_dict("records")))


def speedrun_markdown(board: pd.DataFrame) -> str:
    """The same as a table of GitHub's Markdown."""
    return _markdown(_in_a_line(_BY_SECONDS), map(_speedrun_cells, board.to_dict("records")))


def as_cells(board: pd.DataFrame) -> list[tuple[str, ...]]:
    """The headers, and each row as it is set, with the effects' intervals."""
    return [_in_a_line(_HEADERS), *(_cells(row, _effect(row) + _bounds(row)) for row in board.to_dict("records"))]


def as_csv(board: pd.DataFrame) -> str:
    """All columns of the leaderboard, unrounded; unknown figures are empty."""
    return board.to_csv(index=False).rstrip("\n")


def as_json(board: pd.DataFrame, failed: pd.DataFrame, about: dict[str, Any]) -> str:
    """All columns of the leaderboard, unrounded, as `variants`, and `failed_runs`, after what it is `about`.

    Unknown figures are null.
    """
    tables = {"variants": board, "failed_runs": failed}
    return json.dumps(about | {name: records(table) for name, table in tables.items()}, indent=2, allow_nan=False)


def _terminal(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    for header in headers:
        if header == "variant":
            table.add_column(header, overflow="fold")
        else:
            table.add_column(header, justify="left" if header in _WORDS else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---" if header in _WORDS else "---:" for header in headers]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headers, rule, *rows))


def _in_a_line(headers: Sequence[str]) -> tuple[str, ...]:
    return tuple(header.replace("-\n", "").replace("\n", " ") for header in headers)


def _speedrun_cells(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    return (
        row["variant"],
        _plus_minus(row["seconds_to_99"], row["high_seconds"]),
        str(row["epochs"]),
        _plus_minus(row["test_accuracy_percent"], row["high_percent"]),
        f"{row['finished']}/{row['planned']}",
    )


def _plus_minus(mean: float, high: float) -> str:
    """A mean with the half width of its interval, where it has one."""
    return _number(mean, ".2f") + ("" if math.isnan(high) else f" ± {high - mean:.2f}")


def _cells(row: Mapping[Hashable, Any], effect: str) -> tuple[str, ...]:
    return (
        _word(row["rank"]),
        row["variant"],
        _plus_minus(row["test_accuracy_percent"], row["high_percent"]),
        effect,
        row["role"] if row["role"] == "baseline" else _word(row["verdict"]),
        f"{row['finished']}/{row['planned']}",
        _number(row["parameters"], ",.0f"),
        _number(row["seconds_a_run"], ",.1f"),
    )


def _effect(row: Mapping[Hashable, Any]) -> str:
    return _UNKNOWN if math.isnan(row["effect_pp"]) else signed(row["effect_pp"])


def _bounds(row: Mapping[Hashable, Any]) -> str:
    """The effect's interval, where there is one."""
    low, high = row["effect_low_pp"], row["effect_high_pp"]
    return "" if math.isnan(low) else f" [{signed(low)}, {signed(high)}]"


def _word(value: Any) -> str:
    return _UNKNOWN if pd.isna(value) else str(value)


def _number(value: float, form: str) -> str:
    return _UNKNOWN if math.isnan(value) else format(value, form)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows as JSON takes them: Python's own numbers, None for what is unknown."""
    rows: list[dict[str, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows
