"""Tables as files for other programs."""

from __future__ import annotations

import io
import math

import pandas as pd
import pytest

from mnist_bench.reporting.export import COLUMNS, DICTIONARY, as_files

_VALUES = {
    "text": 'a, "b" é',
    "integer": 7,
    "number": 0.1 + 0.2,
    "truth value": True,
    "time": pd.Timestamp("2026-01-02T03:04:05.678Z"),
}


def _files(rows=None):
    return as_files({table: [] for table in COLUMNS} | (rows or {}))


def _row(table):
    return {name: _VALUES[column.kind] for name, column in COLUMNS[table].items()}


def _csv(files, table):
    return pd.read_csv(io.BytesIO(files[f"{table}.csv"]))


@pytest.mark.parametrize("table", COLUMNS)
def test_both_forms_hold_the_same_and_the_dictionary_describes_it(table):
    """The columns of CSV and Parquet are those of the dictionary, in its order, and what is in them comes back."""
    files = _files({table: [_row(table)]})
    dictionary = pd.read_csv(io.BytesIO(files[DICTIONARY])).query("table == @table")
    packed = pd.read_parquet(io.BytesIO(files[f"{table}.parquet"]))
    assert list(_csv(files, table)) == list(packed) == list(dictionary["column"])
    assert packed.to_dict("records") == [_row(table)]
    for name, value in _row(table).items():
        told = _csv(files, table)[name].iloc[0]
        assert (pd.Timestamp(told) if isinstance(value, pd.Timestamp) else told) == value


def test_every_column_is_described():
    """The dictionary has a sentence and a type for each column of each table."""
    dictionary = pd.read_csv(io.BytesIO(_files()[DICTIONARY]))
    assert len(dictionary) == sum(map(len, COLUMNS.values()))
    assert dictionary["description"].str.endswith(".").all()
    assert set(dictionary["type"]) <= set(_VALUES)


def test_what_is_unknown_is_empty():
    """A figure that isn't there, or isn't finite, is an empty cell and a null, and integers stay integers."""
    row = _row("runs") | {"test_loss": math.nan, "parameters": None, "cause": None}
    files = _files({"runs": [row, _row("runs")]})
    packed = pd.read_parquet(io.BytesIO(files["runs.parquet"]))
    for name in ("test_loss", "parameters", "cause"):
        assert packed[name].isna().tolist() == _csv(files, "runs")[name].isna().tolist() == [True, False]
    assert b",7.0," not in files["runs.csv"]


def test_nothing_recorded_makes_empty_tables_of_the_same_types():
    """A table without rows has its columns, and their types."""
    files = _files()
    empty, full = (
        pd.read_parquet(io.BytesIO(each["curves.parquet"])) for each in (files, _files({"curves": [_row("curves")]}))
    )
    assert empty.empty
    assert empty.dtypes.equals(full.dtypes)
