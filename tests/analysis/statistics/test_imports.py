"""What the statistics cost a command before it does anything."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("scipy.stats", "scipy.optimize", "scipy.integrate", "statsmodels")


def test_no_heavy_library_is_imported():
    """Importing and using them loads neither scipy.stats, nor what else takes long, nor statsmodels."""
    code = (
        "import sys; from mnist_bench.analysis.statistics import *; "
        "sign_flip_p([0.1, 0.2]), detectable_effect(1, 10, 0.05), nominal_levels([5, 10], 0.05); "
        f"sys.exit(any(name in sys.modules for name in {HEAVY}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
