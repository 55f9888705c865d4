"""Affine transforms in the graph."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mnist_bench.data.augmentation import _read_at, bounds_of, transform
from mnist_bench.specs import Augmentation

BLOB = np.zeros((64, 29, 29, 1), dtype=np.float32)
BLOB[:, 5:8, 13:16] = 1.0  # above the centre, which is (14, 14)


def centres(images):
    """Centre of mass (n, 2), as (row, column) from the image's centre."""
    images = np.asarray(images)[..., 0]
    rows, columns = np.mgrid[-14:15, -14:15]
    mass = images.sum((1, 2))
    return np.stack([(images * axis).sum((1, 2)) / mass for axis in (rows, columns)], axis=1)


def moved(seed=(1, 2), **bounds):
    return transform(tf.constant(BLOB), bounds_of(Augmentation(**bounds)), tf.constant(seed))


def test_no_bounds_move_nothing():
    """With all bounds 0 the images are as they were."""
    np.testing.assert_allclose(moved(), BLOB, atol=1e-5)


def test_the_seed_decides_and_images_differ():
    """The same seed gives the same amounts, another seed others, and each image its own."""
    one = moved(rotation_degrees=30)
    np.testing.assert_array_equal(one, moved(rotation_degrees=30))
    assert not np.allclose(one, moved((1, 3), rotation_degrees=30))
    assert not np.allclose(one[0], one[1])


def test_rotation_keeps_the_distance_and_its_bound():
    """A blob 8 pixels above the centre stays 8 pixels away, within ± the bound, to both sides."""
    rows, columns = centres(moved(rotation_degrees=40)).T
    np.testing.assert_allclose(np.hypot(rows, columns), 8, atol=0.1)
    angles = np.degrees(np.arctan2(columns, -rows))
    assert -40 <= angles.min() < -25
    assert 25 < angles.max() <= 40


@pytest.mark.parametrize("bounds", [{"shift_fraction": 0.1}])
def test_shift_moves_both_ways_within_its_bound(bounds):
    """Rows and columns move by up to a tenth of 29 pixels, each on its own."""
    rows, columns = centres(moved(**bounds)).T
    for offset in (rows + 8, columns):
        assert -2.95 < offset.min() < -1.5
        assert 1.5 < offset.max() < 2.95
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.4


def test_zoom_moves_along_the_ray():
    """A blob 8 pixels from the centre ends between 0.8 and 1.2 times as far, on the same ray."""
    rows, columns = centres(moved(zoom_fraction=0.2)).T
    np.testing.assert_allclose(columns, 0, atol=0.05)
    assert 6.3 < -rows.max() < 7
    assert 9 < -rows.min() < 9.7


def test_shear_moves_along_the_rows():
    """Shear by up to 20 degrees moves what stands 8 rows above the centre sideways, by up to 8 tan 20°."""
    rows, columns = centres(moved(shear_degrees=20)).T
    np.testing.assert_allclose(rows, -8, atol=0.1)
    assert 2 < np.abs(columns).max() < 8 * np.tan(np.radians(20)) + 0.1


def test_it_reads_as_tensorflows_own_operation():
    """Any affine map, far beyond the image's edges too, of images that are neither square nor grey."""
    draw = np.random.default_rng(0)
    images = draw.random((40, 12, 17, 3), np.float32)
    affine = draw.normal(scale=[[1], [1], [9], [1], [1], [9]], size=(6, 40)).astype(np.float32)
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=np.concatenate([affine, np.zeros((2, 40), np.float32)]).T,
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    assert np.count_nonzero(theirs) > 1000
    np.testing.assert_allclose(_read_at(images, affine), theirs, atol=1e-4)
