"""Two variants, or two runs, side by side on one test set: over their seeds, image by image, and class by class.

The two are called A and B, and every difference is A less B. The seeds carry the noise of training, the images that of
the test set; each is shown by itself.

Two variants differ in a class only if both kinds of noise are excluded. By the images alone, ten seeds of a network
and ten others of the very same mostly "differ" in some class, since each run leans to some classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mnist_bench.analysis.mistakes import taken_for
from mnist_bench.analysis.pairing import FEWEST
from mnist_bench.analysis.statistics import differences, holm, mean_interval, sign_flip_p
from mnist_bench.analysis.statistics.images import McNemar, bootstrap_interval, mcnemar, proportion_interval
from mnist_bench.analysis.verdicts import ALPHA
from mnist_bench.errors import ComparisonError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mnist_bench.analysis.partners import Partners

    Classes = NDArray[np.integer[Any]]
    Right = NDArray[np.bool_]  # whether each run gets each image right, (runs, images)

__all__ = [
    "Comparison",
    "Estimate",
    "OverImages",
    "OverSeeds",
    "compare_runs",
    "compare_variants",
]


class Estimate(NamedTuple):
    """A figure with its 95% interval."""

    figure: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class OverSeeds:
    """What the paired seeds say: the noise of training."""

    effect: Estimate  # percentage points of test accuracy, by Student's t
    p: float  # two-sided, by flipping signs; of this comparison alone
    left_out: pd.DataFrame  # see Partners


@dataclass(frozen=True, eq=False)
class OverImages:
    """What the test images say of these very runs.

    A side gets an image right if more than half of its runs do. `only_a` and `only_b`, a row for each image that one
    side alone gets right: image (its index in the test part), truth, and taken_for, the class that most runs of the
    other side mistake it for.
    """

    images: int
    runs: int  # a side
    effect: Estimate  # percentage points of test accuracy, by bootstrap over the images
    mcnemar: McNemar
    both: int  # images that both sides get right
    neither: int
    only_a: pd.DataFrame
    only_b: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that is said of A and B; `over_seeds` is None for two runs.

    `classes`, a row a class: class, images, recall_a_percent, recall_b_percent (means over the runs), difference_pp,
    the numbers of images only_a and only_b, p_images (McNemar within the class), p_seeds (by flipping signs; not for
    two runs), both adjusted for the number of classes (Holm), and differs: no p is above 5%.
    """

    a: str
    b: str
    accuracy_a: Estimate  # percent: of the mean over the seeds, by Student's t; of a run, by Wilson
    accuracy_b: Estimate
    over_seeds: OverSeeds | None
    over_images: OverImages
    classes: pd.DataFrame


def compare_variants(
    partners: Partners, a: Mapping[int, Classes], b: Mapping[int, Classes], truth: Classes
) -> Comparison:
    """Compare two variants over their paired seeds and over the images.

    Args:
        partners: whose runs they are.
        a: what each run of A predicts, (images,), by pair.
        b: likewise.
        truth: the images' classes, (images,).

    Raises:
        ComparisonError: the two have not the same pairs, or fewer than two, or a run predicts another number of images.
    """
    runs_a, runs_b = (_stacked([side[pair] for pair in sorted(side)], truth) for side in (a, b))
    accuracies_a, accuracies_b = (100 * (runs == truth).mean(axis=1) for runs in (runs_a, runs_b))
    effects = differences(
        dict(zip(sorted(a), accuracies_a, strict=True)), dict(zip(sorted(b), accuracies_b, strict=True))
    )
    return Comparison(
        partners.a,
        partners.b,
        _over_seeds(accuracies_a),
        _over_seeds(accuracies_b),
        OverSeeds(_over_seeds(effects), sign_flip_p(effects), partners.left_out),
        _over_images(runs_a, runs_b, truth),
        _by_class(runs_a == truth, runs_b == truth, truth),
    )


def compare_runs(names: tuple[str, str], a: Classes, b: Classes, truth: Classes) -> Comparison:
    """Compare two runs over the images; each given by what it predicts, (images,).

    Raises:
        ComparisonError: a run predicts another number of images than `truth` has.
    """
    run_a, run_b = _stacked([a], truth), _stacked([b], truth)
    return Comparison(
        *names,
        _share(run_a == truth),
        _share(run_b == truth),
        None,
        _over_images(run_a, run_b, truth),
        _by_class(run_a == truth, run_b == truth, truth),
    )


def _stacked(runs: Sequence[Classes], truth: Classes) -> Classes:
    """What each run predicts for each image, (runs, images)."""
    for run in runs:
        if run.shape != truth.shape:
            raise ComparisonError(
                f"a run has {run.size} predictions for {truth.size} test images: it was of other data"
            )
    return np.stack(runs)


def _over_seeds(figures: NDArray[np.floating[Any]]) -> Estimate:
    interval = mean_interval(figures)
    return Estimate(interval.mean, interval.low, interval.high)


def _share(right: Right) -> Estimate:
    """The share of images that a run gets right, in percent."""
    low, high = proportion_interval(int(right.sum()), right.size)
    return Estimate(float(100 * right.mean()), 100 * low, 100 * high)


def _over_images(a: Classes, b: Classes, truth: Classes) -> OverImages:
    """From what is predicted, (runs, images)."""
    right_a, right_b = a == truth, b == truth  # (runs, images)
    most_a, most_b = _most(right_a), _most(right_b)  # (images,)
    gains = 100 * (right_a.mean(axis=0) - right_b.mean(axis=0))  # (images,), percentage points
    return OverImages(
        images=len(truth),
        runs=len(a),
        effect=Estimate(float(gains.mean()), *bootstrap_interval(gains)),
        mcnemar=mcnemar(most_a, most_b),
        both=int((most_a & most_b).sum()),
        neither=int((~most_a & ~most_b).sum()),
        only_a=taken_for(most_a & ~most_b, b, truth),
        only_b=taken_for(most_b & ~most_a, a, truth),
    )


def _most(right: Right) -> NDArray[np.bool_]:
    """Whether more than half of the runs get each image right, (images,)."""
    return np.asarray(2 * right.sum(axis=0) > len(right))


def _by_class(right_a: Right, right_b: Right, truth: Classes) -> pd.DataFrame:
    """See Comparison: a row for each class that the test part has images of."""
    masks = {int(label): truth == label for label in np.unique(truth)}
    classes = pd.DataFrame([_class_row(label, right_a[:, mask], right_b[:, mask]) for label, mask in masks.items()])
    tests = ["p_images"]
    classes["p_images"] = holm(classes["p_images"])
    if len(right_a) >= FEWEST:
        tests.append("p_seeds")
        gains = np.stack([right_a[:, mask].mean(axis=1) - right_b[:, mask].mean(axis=1) for mask in masks.values()])
        classes["p_seeds"] = holm(sign_flip_p(gains))  # (classes, runs) → (classes,)
    classes["differs"] = (classes[tests] <= ALPHA).all(axis=1)
    return classes


def _class_row(label: int, right_a: Right, right_b: Right) -> dict[str, object]:
    test = mcnemar(_most(right_a), _most(right_b))
    return {
        "class": label,
        "images": right_a.shape[1],
        "recall_a_percent": 100 * right_a.mean(),
        "recall_b_percent": 100 * right_b.mean(),
        "difference_pp": 100 * (right_a.mean() - right_b.mean()),
        "only_a": test.a_only,
        "only_b": test.b_only,
        "p_images": test.p,
    }
