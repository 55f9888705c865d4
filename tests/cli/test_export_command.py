"""`mnist-bench export`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from made_up import run_spec
from tracking.recordings import failed_result, new_store, record, run_result

from mnist_bench.cli.export import command as export
from mnist_bench.errors import OutputError, StoreError
from mnist_bench.training.evaluation import confusion_json


@pytest.fixture
def store(tmp_path_factory, tmp_path):
    store = new_store(tmp_path_factory, tmp_path)
    specs = [run_spec(seed=0), run_spec(seed=1)]
    matrix = {"confusion.json": confusion_json(np.array([[9, 1], [0, 10]]))}
    record(store, specs, [run_result(specs[0], artifacts=matrix), failed_result(specs[1])])
    return store


def _export(store, *arguments):
    return CliRunner().invoke(export, [*arguments, "--tracking-uri", store.location.uri], catch_exceptions=False)


def test_every_file_is_written_and_its_path_printed(store, tmp_path):
    """Four tables in two forms each, and the data dictionary."""
    shown = _export(store, "-o", str(tmp_path / "out"))
    written = sorted(map(str, (tmp_path / "out").iterdir()))
    assert sorted(shown.stdout.split()) == written
    assert len(written) == 9
    for table, rows in {"runs": 2, "curves": 12, "confusion": 4}.items():
        assert len(pd.read_csv(tmp_path / "out" / f"{table}.csv")) == rows
        assert len(pd.read_parquet(tmp_path / "out" / f"{table}.parquet")) == rows


def test_a_suite_that_is_not_there_writes_nothing(store, tmp_path):
    """It is answered with the nearest one that is."""
    with pytest.raises(StoreError, match="did you mean 'made_up'"):
        _export(store, "--suite", "made_upp", "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_can_not_be_made_is_told(store, tmp_path):
    """One line names it, and the option."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file.*: can't be written \(.*\): name another by -o"):
        _export(store, "-o", str(tmp_path / "file" / "out"))
