"""A leaderboard as a table for a terminal, as Markdown, CSV or JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["as_csv", "as_json", "as_markdown", "as_table"]

_HEADERS = ("variant", "test\naccuracy", "95% interval,\npercent", "runs", "parameters", "seconds\na run")
_UNKNOWN = "–"


def as_table(board: pd.DataFrame) -> Table:
    """The leaderboard for a terminal of 80 columns or more: names are folded there, never figures.

    `runs` are the finished of the planned ones.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column(_HEADERS[0], overflow="fold")
    for header in _HEADERS[1:]:
        table.add_column(header, justify="right", no_wrap=True)
    for cells in _cells(board):
        table.add_row(*cells)
    return table


def as_markdown(board: pd.DataFrame) -> str:
    """The leaderboard as a table of GitHub's Markdown, with the terminal's columns."""
    rule = ["---", *["---:"] * (len(_HEADERS) - 1)]
    headers = [header.replace("\n", " ") for header in _HEADERS]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headers, rule, *_cells(board)))


def as_csv(board: pd.DataFrame) -> str:
    """All columns of the leaderboard, unrounded; unknown figures are empty."""
    return board.to_csv(index=False).rstrip("\n")


def as_json(board: pd.DataFrame, failed: pd.DataFrame, about: dict[str, Any]) -> str:
    """All columns of the leaderboard, unrounded, as `variants`, and `failed_runs`, after what it is `about`.

    Unknown figures are null.
    """
    tables = {"variants": board, "failed_runs": failed}
    return json.dumps(about | {name: _records(table) for name, table in tables.items()}, indent=2, allow_nan=False)


def _cells(board: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    for row in board.to_dict("records"):
        low, high = _number(row["low_percent"], ".2f"), _number(row["high_percent"], ".2f")
        yield (
            row["variant"],
            _number(row["test_accuracy_percent"], ".2f"),
            _UNKNOWN if low == _UNKNOWN else f"{low} to {high}",
            f"{row['finished']}/{row['planned']}",
            _number(row["parameters"], ",.0f"),
            _number(row["seconds_a_run"], ",.1f"),
        )


def _number(value: float, form: str) -> str:
    return _UNKNOWN if math.isnan(value) else format(value, form)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[assignment]
    return records
