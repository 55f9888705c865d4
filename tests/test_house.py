"""The house: each room imports only the rooms below it, and what only reads results imports no TensorFlow."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mnist_bench"

FOUNDATION = {"errors", "values", "specs", "processor"}
# What each room may import of ours, beside itself (docs/design.md draws it).
ROOMS = {
    "errors": set(),
    "processor": set(),
    "values": {"errors"},
    "specs": {"errors", "values"},
    "architectures": FOUNDATION,
    "experiments": {"errors"},
    "claims": {"errors", "values", "experiments"},
    "suites": FOUNDATION | {"architectures", "experiments"},
    "data": FOUNDATION,
    "training": FOUNDATION | {"architectures", "data"},
    "figures": set(),
    "tracking": FOUNDATION,
    "analysis": FOUNDATION | {"claims", "tracking"},
    "reporting": FOUNDATION | {"claims", "figures", "tracking", "analysis"},
    "execution": FOUNDATION | {"architectures", "suites", "data", "figures", "training", "tracking"},
    "tuning": FOUNDATION
    | {"architectures", "experiments", "suites", "data", "figures", "training", "execution", "tracking", "analysis"},
    "cli": FOUNDATION
    | {
        "architectures",
        "suites",
        "claims",
        "data",
        "figures",
        "execution",
        "tracking",
        "analysis",
        "reporting",
        "tuning",
    },
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path):
    """The rooms that a module imports anywhere, lazily included."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    ours = [name.split(".") for name in names if name.split(".")[0] == "mnist_bench"]
    return {parts[1] for parts in ours if len(parts) > 1 and parts[1] in ROOMS}


def test_every_room_is_drawn():
    """No file or folder of the package stands outside the house."""
    assert {room(path) for path in MODULES} - {"__init__", "__main__"} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_what_is_below(path):
    """No import goes up, or through a wall."""
    if room(path) in ROOMS:
        assert imported_rooms(path) - {room(path)} <= ROOMS[room(path)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_below_the_command_line_prints(path):
    """What is printed, and where, is the command line's to say."""
    if room(path) != "cli":
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]


@pytest.mark.parametrize(
    "module",
    [
        "mnist_bench.cli",
        "mnist_bench.cli.leaderboard",
        "mnist_bench.cli.compare",
        "mnist_bench.cli.claims",
        "mnist_bench.cli.plan",
        "mnist_bench.cli.round",
        "mnist_bench.cli.sync",
        "mnist_bench.cli.doctor",
        "mnist_bench.cli.ui",
        "mnist_bench.cli.run",
        "mnist_bench.cli.search",
        "mnist_bench.cli.tune",
        "mnist_bench.cli.list",
        "mnist_bench.cli.data",
        "mnist_bench.execution.engine",
        "mnist_bench.execution.plan",
        "mnist_bench.tracking.recorder",
        "mnist_bench.reporting.comparison",
        "mnist_bench.reporting.tables",
        "mnist_bench.tuning.confirm",
        "mnist_bench.tuning.pictures",
    ],
)
def test_readers_and_the_driver_start_without_tensorflow(module):
    """Importing them loads neither TensorFlow nor Keras."""
    code = f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("command", ["leaderboard", "claims"])
def test_what_ranks_and_judges_starts_without_the_slow_parts_of_scipy(command):
    """`scipy.stats` and `statsmodels`, a second to import, are for `compare` alone."""
    slow = ("scipy.stats", "statsmodels")
    code = f"import sys, mnist_bench.cli.{command}; sys.exit(any(name in sys.modules for name in {slow}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
