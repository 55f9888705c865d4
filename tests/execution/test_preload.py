"""What workers are forked with."""

from __future__ import annotations

import subprocess
import sys


def test_what_workers_need_is_loaded_without_a_word():
    """TensorFlow, scikit-learn's splits and Matplotlib are there, and nobody was greeted."""
    wanted = "{'tensorflow', 'sklearn.model_selection', 'matplotlib'}"
    code = f"import sys, mnist_bench.execution.preload; assert {wanted} <= sys.modules.keys()"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
