"""What a sample of figures can carry: intervals, paired tests, their power, and looks at an unfinished sample.

Neither `scipy.stats` nor `statsmodels` is imported: each takes about a second, and every command that reads results
would wait for it. `scipy.special` has the distributions. The tests hold each function to what those libraries say.
"""

from __future__ import annotations

from mnist_bench.analysis.statistics.intervals import CONFIDENCE, Interval, expected_luck, mean_interval
from mnist_bench.analysis.statistics.paired import (
    EXACT_UP_TO,
    SAMPLED,
    differences,
    equivalence_p,
    holm,
    sign_flip_p,
    t_test_p,
)
from mnist_bench.analysis.statistics.power import (
    attainable_alpha,
    detectable_effect,
    equivalence_power,
    least_p,
    power,
    seeds_for_equivalence,
    seeds_needed,
)
from mnist_bench.analysis.statistics.sequential import nominal_levels, overall_p

__all__ = [
    "CONFIDENCE",
    "EXACT_UP_TO",
    "SAMPLED",
    "Interval",
    "attainable_alpha",
    "detectable_effect",
    "differences",
    "equivalence_p",
    "equivalence_power",
    "expected_luck",
    "holm",
    "least_p",
    "mean_interval",
    "nominal_levels",
    "overall_p",
    "power",
    "seeds_for_equivalence",
    "seeds_needed",
    "sign_flip_p",
    "t_test_p",
]
