"""Which sources are part of the run key."""

from __future__ import annotations

import shutil

import pytest

from mnist_bench.execution import code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package's folder, whose files may be changed."""
    copy = shutil.copytree(code._PACKAGE, tmp_path / "mnist_bench")
    monkeypatch.setattr(code, "_PACKAGE", copy)
    code._digest.cache_clear()
    yield copy
    code._digest.cache_clear()


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("data/augmentation.py", "data"),
        ("training/compiled.py", "training"),
        ("reporting/tables.py", None),
        ("cli/run.py", None),
        ("tracking/recorder.py", None),
    ],
)
def test_editing_what_a_run_is_trained_by_makes_another_run(package, file, part):
    """A change in `data/` or `training/` changes the key; one in what only records or shows doesn't."""
    before = code.code_of("mlp")
    path = package / file
    path.write_text(path.read_text() + "\n# changed\n")
    code._digest.cache_clear()
    after = code.code_of("mlp")
    assert {name for name in type(before).model_fields if getattr(before, name) != getattr(after, name)} == (
        {part} if part else set()
    )


def test_another_family_does_not_invalidate_a_run():
    """An architecture's key sees its own family's file alone."""
    assert code.code_of("mlp").architecture == code.code_of("logistic_regression").architecture
    assert code.code_of("mlp").architecture != code.code_of("convnet").architecture
