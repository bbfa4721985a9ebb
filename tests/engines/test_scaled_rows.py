"""Tests of float32 rows with scales: every pass against the same in float64."""

import numpy as np
import pytest

from dynparam.engines import scaled_rows
from dynparam.engines.scaled_rows import COLUMNS, PIECE, Scaled

TRIALS = 3


def rows(columns, name):
    """Normal numbers (trials, columns) in float32, in a wider array as those of the engine are."""
    seed = sum(map(ord, name)) + columns
    drawn = np.random.default_rng(seed).standard_normal((TRIALS, columns + 5))
    return drawn.astype(np.float32)[:, 2 : columns + 2]


@pytest.mark.parametrize("size", [1, 7, COLUMNS - 1, COLUMNS, COLUMNS + 1, 2 * COLUMNS + 3])
def test_blocks_cover_every_column_once(size):
    columns = np.concatenate([np.arange(size)[part] for part in scaled_rows.blocks(size)])
    np.testing.assert_array_equal(columns, np.arange(size))


@pytest.mark.parametrize("columns", [1, 60, PIECE, PIECE + 1, 2 * PIECE, COLUMNS, COLUMNS + 9])
def test_inner_products_are_those_of_float64(columns):
    """Within 1e-6 of the two lengths; and a row gives the same beside others and alone."""
    a, b = rows(columns, "a"), rows(columns, "b")
    found = scaled_rows.dot(a, b)
    lengths = np.linalg.norm(a.astype(float), axis=1) * np.linalg.norm(b.astype(float), axis=1)
    assert found.dtype == np.float64
    assert (np.abs(found - np.vecdot(a.astype(float), b.astype(float))) < 1e-6 * lengths).all()
    for trial in range(TRIALS):
        alone = slice(trial, trial + 1)
        np.testing.assert_array_equal(scaled_rows.dot(a[alone], b[alone]), found[alone])


def test_a_ratio_to_nothing_is_nothing():
    found = scaled_rows.ratio(np.array([1.0, 2.0, -3.0]), np.array([0.0, 4.0, -2.0]))
    np.testing.assert_array_equal(found, [0.0, 0.5, 1.5])


def test_passes_are_those_of_float64():
    a, b, room = rows(50, "a"), rows(50, "b"), rows(50, "room")
    factor = np.array([0.5, -2.0, 3.0])
    wide = a.astype(float), b.astype(float), factor[:, None]
    close = {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_array_equal(scaled_rows.relu(a, room), np.maximum(a, 0))
    np.testing.assert_array_equal(scaled_rows.masked(a, b, room), np.where(b > 0, a, 0))
    np.testing.assert_allclose(scaled_rows.multiply(a, factor, room), wide[2] * wide[0], **close)
    np.testing.assert_allclose(
        scaled_rows.combine(a, factor, b, room), wide[0] + wide[2] * wide[1], **close
    )
    scaled_rows.add(room, -factor, b)
    np.testing.assert_allclose(room, a, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-20, 0.3, 1.0, 1e3, 1e12, scaled_rows.LARGEST])
def test_a_change_of_relu_keeps_its_digits_beside_any_size(scale):
    """Against float64, where the naive difference is as exact as the change beside the size allows."""
    z, change = rows(4000, "z"), rows(4000, "change")
    h, out, spare = np.maximum(z, 0), rows(4000, "out"), rows(4000, "spare")
    found = scaled_rows.relu_change(z, h, change, np.full(TRIALS, scale), out, spare)
    large, small = scale * z.astype(np.longdouble), change.astype(np.longdouble)
    expected = np.where(large > 0, np.maximum(small, -large), np.maximum(small + large, 0))
    np.testing.assert_allclose(found, expected.astype(float), rtol=1e-5, atol=1e-6)


def test_vectors_of_any_size_are_kept_by_their_scale():
    vectors = np.array([[1e-200, -3e-200], [0.0, 0.0], [2e150, 1e150]])
    kept = Scaled.of(vectors)
    assert kept.rows.dtype == np.float32
    assert kept.size == 2
    np.testing.assert_array_equal(np.abs(kept.rows).max(axis=1), [1, 0, 1])
    np.testing.assert_allclose(kept.vectors(), vectors, rtol=1e-7)
