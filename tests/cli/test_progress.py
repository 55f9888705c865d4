"""What is seen of a search while it goes on."""

from __future__ import annotations

import io

from made_up import run_spec
from rich.console import Console
from tuning.searching import result_of

from mnist_bench.cli.progress import SearchProgress, verbosity
from mnist_bench.tuning.search import Standing


def watched(*, terminal):
    """All that is written of a search of ten trials, two of which ended before, until a third has ended."""
    said = io.StringIO()
    console = Console(file=said, width=150, force_terminal=terminal, highlight=False)
    progress = SearchProgress(console, verbosity(quiet=False, verbose=False))
    with progress.of(10, Standing(1, 1, 0, (0.9, 0))):
        progress.ended(2, result_of(run_spec(options={"widths": [8]})), Standing(1, 1, 1, (0.95, 2)))
    return said.getvalue()


def test_a_terminal_has_a_bar():
    """With the trials done, pruned and failed, the best so far, and what is left of the time."""
    seen = watched(terminal=True)
    assert "1 done, 1 pruned, 0 failed, best 90.00%" in seen
    assert "1 done, 1 pruned, 1 failed, best 95.00%" in seen
    assert "left" in seen
    assert "trial 2" not in seen


def test_elsewhere_each_trial_has_a_line():
    """Of its number, what it came to, the best so far, and an estimate of the end; there is no bar."""
    (line,) = watched(terminal=False).splitlines()
    assert line.startswith("3/10 trial 2: validation ")
    assert "best 95.00%, about " in line
    assert line.endswith(" left)")
