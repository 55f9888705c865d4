"""Two variants, or two runs, compared over their seeds, image by image, and class by class."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import recorded_suite

from mnist_bench.analysis import comparison
from mnist_bench.analysis.comparison import compare_runs, compare_variants
from mnist_bench.analysis.partners import pair_runs
from mnist_bench.analysis.statistics import mean_interval
from mnist_bench.errors import ComparisonError

TRUTH = np.repeat(np.arange(4), 50)  # (200,)


def _wrong_on(*images, by=1):
    """What a run predicts that mistakes these images alone, each for the class `by` further on."""
    predicted = TRUTH.copy()
    predicted[list(images)] = (predicted[list(images)] + by) % 4
    return predicted


def _pairing(a, b):
    """Two variants with as many finished runs as they have predictions."""
    suite = recorded_suite({"baseline": [0.9] * len(b), "wide": [0.9] * len(a)})
    return pair_runs(suite, "wide", "baseline")


def _compare(a, b):
    return compare_variants(_pairing(a, b), dict(enumerate(a)), dict(enumerate(b)), TRUTH)


def test_compares_over_the_seeds():
    """Means, effect and p are those of the accuracies, A less B, paired by seed."""
    compared = _compare(
        [_wrong_on(0), _wrong_on(0, 1), _wrong_on()], [_wrong_on(0, 1, 2), _wrong_on(0, 1, 2), _wrong_on(3, 4)]
    )
    assert (compared.a, compared.b) == ("wide", "baseline")
    for estimate, sample in (
        (compared.accuracy_a, [99.5, 99, 100]),
        (compared.accuracy_b, [98.5, 98.5, 99]),
        (compared.over_seeds.effect, [1, 0.5, 1]),
    ):
        expected = mean_interval(sample)
        assert estimate == pytest.approx((expected.mean, expected.low, expected.high))
    assert compared.over_seeds.p == 2 / 2**3  # all signs alike


def test_pairs_stay_pairs_in_any_order():
    """Which run comes first does not matter; its pair does, in the accuracies and in each class."""
    a = {pair: _wrong_on(*range(pair)) for pair in range(10)}
    b = {pair: _wrong_on(*range(pair + 20)) for pair in reversed(range(10))}
    compared = compare_variants(_pairing(a, b), a, b, TRUTH)
    assert compared.over_seeds.effect == pytest.approx((10, 10, 10))
    assert compared.classes["p_seeds"].to_list() == pytest.approx([4 * 2 / 2**10, 1, 1, 1])


def test_the_two_noises_are_apart():
    """Runs that all gain the same leave no noise of the seeds, but that of the images they differ on."""
    compared = _compare([_wrong_on()] * 3, [_wrong_on(*range(20))] * 3)
    assert compared.over_seeds.effect == pytest.approx((10, 10, 10))
    share = 20 / 200
    error = 100 * np.sqrt(share * (1 - share) / 200)
    assert compared.over_images.effect == pytest.approx((10, 10 - 1.96 * error, 10 + 1.96 * error), abs=0.5)


def test_an_image_is_right_by_majority():
    """More than half of the runs must get it right: two of four are not enough, three of four are."""
    a = [_wrong_on(0), _wrong_on(0), _wrong_on(0, 1), _wrong_on(0)]
    b = [_wrong_on(0, 1, 2), _wrong_on(0, 2), _wrong_on(0), _wrong_on(0)]
    images = _compare(a, b).over_images
    assert images.only_a["image"].to_list() == [2]
    assert images.only_b.empty
    assert (images.both, images.neither, images.runs, images.images) == (198, 1, 4, 200)
    assert (images.mcnemar.a_only, images.mcnemar.b_only, images.mcnemar.p) == (1, 0, 1.0)


def test_says_what_an_image_is_mistaken_for():
    """The most frequent mistake of the side that gets it wrong, even where the truth is more frequent still."""
    once_each = [_wrong_on(60, by=1), _wrong_on(60, by=2), _wrong_on(60, by=2), _wrong_on(), _wrong_on(), _wrong_on()]
    compared = _compare([_wrong_on(7)] * 6, once_each)
    assert compared.over_images.only_a.to_numpy().tolist() == [[60, 1, 3]]
    assert compared.over_images.only_b.to_numpy().tolist() == [[7, 0, 1]]


def test_a_class_that_both_noises_allow_differs():
    """Of four classes the one is marked in which every seed loses many images; its figures stand beside it."""
    generator = np.random.default_rng(0)
    a = [_wrong_on(*generator.choice(200, 4, replace=False)) for _ in range(10)]
    b = [_wrong_on(*range(50, 65), *generator.choice(200, 4, replace=False)) for _ in range(10)]
    classes = _compare(a, b).classes.set_index("class")
    assert classes["differs"].to_list() == [False, True, False, False]
    row = classes.loc[1]
    assert (row["images"], row["only_a"], row["only_b"]) == (50, 15, 0)
    assert row["difference_pp"] == pytest.approx(row["recall_a_percent"] - row["recall_b_percent"])
    assert row["recall_b_percent"] < 71
    assert row["p_images"] == pytest.approx(4 * 2 / 2**15)
    assert row["p_seeds"] == pytest.approx(4 * 2 / 2**10)


def test_one_bad_seed_makes_no_class_differ():
    """A class that a few seeds lose entirely differs by its images, and not by its seeds."""
    lost = _wrong_on(*range(50))
    classes = _compare([_wrong_on()] * 10, [lost] * 5 + [_wrong_on()] * 5).classes
    assert classes["p_images"].iloc[0] < 0.001
    assert not classes["differs"].any()


@pytest.mark.slow
def test_equals_seldom_differ_in_a_class():
    """Runs of one variant lean to some classes each: by the images alone equals often differ, by both in 5% at most."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.arange(5), 200)
    difficulties = generator.normal(-3, 2, 1000)  # (images,)

    def runs():
        leaning = generator.normal(0, 1, (10, 5))  # (runs, classes)
        return generator.random((10, 1000)) > 1 / (1 + np.exp(-difficulties - leaning[:, truth]))

    tables = [comparison._by_class(runs(), runs(), truth) for _ in range(200)]
    assert np.mean([(table["p_images"] <= 0.05).any() for table in tables]) > 0.2
    assert np.mean([table["differs"].any() for table in tables]) <= 0.05


def test_compares_two_runs():
    """Two runs have Wilson's intervals and no seeds; a class differs by its images alone."""
    compared = compare_runs(("a", "b"), _wrong_on(0), _wrong_on(*range(50, 70)), TRUTH)
    assert compared.over_seeds is None
    assert compared.accuracy_a == pytest.approx((99.5, 97.223, 99.912), abs=1e-3)  # 199 of 200
    assert compared.accuracy_b.figure == 90
    assert compared.over_images.effect.figure == 9.5
    assert (compared.over_images.mcnemar.a_only, compared.over_images.mcnemar.b_only) == (20, 1)
    assert "p_seeds" not in compared.classes
    assert compared.classes["differs"].to_list() == [False, True, False, False]


def test_runs_that_never_differ():
    """The same predictions differ by nothing, with certainty for these images."""
    compared = compare_runs(("a", "b"), _wrong_on(3), _wrong_on(3), TRUTH)
    assert compared.over_images.effect == (0, 0, 0)
    assert compared.over_images.mcnemar.p == 1
    assert compared.over_images.only_a.empty
    assert not compared.classes["differs"].any()


def test_a_class_without_test_images_is_left_out():
    """What the test part doesn't show has no recall, even where a run predicts it."""
    compared = compare_runs(("a", "b"), np.array([0, 2, 5]), np.array([0, 0, 2]), np.array([0, 2, 2]))
    assert compared.classes["class"].to_list() == [0, 2]
    assert compared.over_images.only_b.to_numpy().tolist() == [[2, 2, 5]]


def test_refuses_other_pairs_and_other_images():
    """Neither a seed without partner nor a run of another test set slips in."""
    run = _wrong_on(0)
    with pytest.raises(ComparisonError, match="seed 2 finished on one side only"):
        compare_variants(_pairing([run] * 3, [run] * 3), {0: run, 1: run, 2: run}, {0: run, 1: run}, TRUTH)
    with pytest.raises(ComparisonError, match="a run has 100 predictions for 200 test images"):
        compare_runs(("a", "b"), run, run[:100], TRUTH)
