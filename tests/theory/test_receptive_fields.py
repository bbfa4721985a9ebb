"""Kernels of local receptive fields: against pixel by pixel sums, gradients, and the dense kernel."""

import math

import numpy as np
import pytest
import torch

from dynparam.support.errors import ConfigError, DataError
from dynparam.theory.inner_products import inner_products
from dynparam.theory.receptive_fields import (
    DENSE,
    Fields,
    blurred,
    correlations,
    covariances,
    coverage,
    field_kernel,
    profiles,
)
from dynparam.theory.relu_kernels import layer_shapes

SIDE = 6
IMAGES = np.random.default_rng(3).normal(size=(4, 2, SIDE, SIDE)) + 0.3
OTHERS = np.random.default_rng(4).normal(size=(3, 2, SIDE, SIDE))
CASES = [
    DENSE,
    Fields(3, 0.2),
    Fields(2, 0.4),
    Fields(4, 0.05),
    Fields(1, 0.3),
    Fields(correlation=1.3),
    Fields(2, 0.3, 0.8),
    Fields(3, math.inf, 2.0),
]


def windows(fields):
    """m_z over all pixels, position by position, and the correlation of any two pixels, from scratch."""
    count = fields.grid if math.isfinite(fields.radius) else 1
    places = [(i + 0.5) / SIDE for i in range(SIDE)]
    made = []
    for row in range(count):
        for column in range(count):
            middle = (row + 0.5) / count, (column + 0.5) / count
            square = np.array(
                [[(u - middle[0]) ** 2 + (v - middle[1]) ** 2 for v in places] for u in places]
            )
            window = np.exp(-square / 2 / fields.radius**2).ravel()
            made.append(window / np.linalg.norm(window))
    pixels = np.array([(i, j) for i in range(SIDE) for j in range(SIDE)])
    square = ((pixels[:, None] - pixels) ** 2).sum(-1)
    if fields.correlation:
        return made, np.exp(-square / 2 / fields.correlation**2)
    return made, np.eye(SIDE**2)


def arc(covariance, rows, columns):
    """2 E phi phi and 2 E phi' phi' of ReLU, by the angle."""
    size = np.sqrt(np.outer(rows, columns))
    angle = np.arccos(np.clip(covariance / size, -1, 1))
    value = size * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi
    return value, (np.pi - angle) / np.pi


def by_pixels(left, right, fields):
    """The kernel from windows and correlations of all pixels."""
    made, correlation = windows(fields)
    flat = [one.reshape(len(one), 2, -1) for one in (left, right)]
    hidden, first, norms = 0, 0, [0, 0]
    for window in made:
        a, b = (one * window for one in flat)
        sigma = np.einsum("tcu,uv,scv->ts", a, correlation, b)
        own = [np.einsum("tcu,uv,tcv->t", one, correlation, one) for one in (a, b)]
        value, slope = arc(sigma, *own)
        hidden, first = hidden + value / len(made), first + slope * sigma / len(made)
        norms = [norm + one / len(made) for norm, one in zip(norms, own, strict=True)]
    value, slope = arc(hidden, *norms)
    return value + slope * (hidden + first)


@pytest.mark.parametrize("fields", CASES)
def test_kernels_are_those_of_sums_over_pixels(fields):
    np.testing.assert_allclose(
        field_kernel(IMAGES, OTHERS, fields), by_pixels(IMAGES, OTHERS, fields), rtol=1e-9
    )
    np.testing.assert_allclose(
        field_kernel(IMAGES, fields=fields), by_pixels(IMAGES, IMAGES, fields), rtol=1e-6
    )


@pytest.mark.parametrize("fields", CASES)
def test_a_kernel_is_symmetric_and_positive_and_has_three_variances_on_its_diagonal(fields):
    kernel = field_kernel(IMAGES, fields=fields)
    np.testing.assert_allclose(kernel, kernel.T, rtol=1e-7)
    assert np.linalg.eigvalsh(kernel)[0] > 0
    variance = np.mean([one.rows for one in covariances(IMAGES, OTHERS, fields)], axis=0)
    # At equal images P(A) = A and D(A) = 1, and so for Theta_1: one part from each of three layers.
    np.testing.assert_allclose(np.diag(kernel), 3 * variance, rtol=1e-6)
    # ReLU has no scale: the kernel is linear in that of either image.
    np.testing.assert_allclose(
        field_kernel(3 * IMAGES, OTHERS, fields) / 3, field_kernel(IMAGES, OTHERS, fields)
    )


def test_without_windows_it_is_the_dense_kernel_of_three_layers():
    inputs = [one.reshape(len(one), -1) / SIDE for one in (IMAGES, OTHERS)]
    expected = layer_shapes(inner_products(*inputs), 3).sum(axis=0)
    np.testing.assert_allclose(field_kernel(IMAGES, OTHERS), expected, rtol=1e-12)
    # So are windows far wider than the image, at any number of positions.
    np.testing.assert_allclose(field_kernel(IMAGES, OTHERS, Fields(3, 1e5)), expected, rtol=1e-8)


@pytest.mark.parametrize("length", [0.3, 1.5, 6.0, 1e4])
def test_correlated_weights_see_a_blurred_image(length):
    fields = Fields(correlation=length)
    sharp = [blurred(one, fields) for one in (IMAGES, OTHERS)]
    expected = field_kernel(*sharp)
    np.testing.assert_allclose(field_kernel(IMAGES, OTHERS, fields), expected, rtol=1e-7)
    assert not np.allclose(field_kernel(IMAGES, OTHERS), expected, rtol=1e-3)


def test_the_blur_is_the_root_of_the_correlation():
    fields = Fields(correlation=1.5)
    one = np.zeros((SIDE**2, 1, SIDE, SIDE))
    one[np.arange(SIDE**2), 0, np.repeat(np.arange(SIDE), SIDE), np.tile(np.arange(SIDE), SIDE)] = 1
    root = blurred(one, fields).reshape(SIDE**2, -1)
    np.testing.assert_allclose(root @ root, windows(fields)[1], atol=1e-12)
    np.testing.assert_allclose(blurred(IMAGES, DENSE), IMAGES, rtol=1e-12)
    assert correlations(4, fields)[0, 2] == pytest.approx(math.exp(-(2**2) / 2 / 1.5**2))


@pytest.mark.parametrize("fields", [DENSE, Fields(3, 0.2), Fields(2, 0.05), Fields(5, 5e-324)])
def test_windows_have_unit_square_sum(fields):
    found = profiles(SIDE, fields)
    np.testing.assert_allclose(np.square(found).sum(axis=1), 1, rtol=1e-14)
    assert np.square(coverage(SIDE, fields)).sum() == pytest.approx(1)


def test_the_narrowest_window_between_pixels_holds_the_nearest():
    found = np.square(profiles(4, Fields(3, 1e-9)))
    # Centres 1/6, 1/2, 5/6 of the side; pixels at 1/8, 3/8, 5/8, 7/8.
    np.testing.assert_allclose(found, [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]], atol=1e-12)


def test_windows_shrink_with_the_radius():
    """One radius away from the middle a window is exp(-1/2) of its height."""
    found = profiles(101, Fields(1, 0.2))[0]
    assert found[50 + 20] / found[50] == pytest.approx(math.exp(-0.5), rel=0.02)
    assert found.argmax() == 50


@pytest.mark.parametrize("fields", [Fields(3, 0.2), Fields(2, 0.5), DENSE])
def test_coverage_gives_a_dense_network_the_variances_of_windows(fields):
    local = np.mean([one.rows for one in covariances(IMAGES, fields=fields)], axis=0)
    weighted = SIDE * coverage(SIDE, fields) * IMAGES
    (dense,) = covariances(weighted)
    np.testing.assert_allclose(dense.rows, local, rtol=1e-12)


def test_the_dense_kernel_does_not_see_where_pixels_are_and_windows_do():
    order = np.random.default_rng(0).permutation(SIDE**2)
    moved = [one.reshape(len(one), 2, -1)[:, :, order].reshape(one.shape) for one in (IMAGES, OTHERS)]
    np.testing.assert_allclose(field_kernel(*moved), field_kernel(IMAGES, OTHERS), rtol=1e-12)
    for fields in (Fields(3, 0.1), Fields(correlation=1.0)):
        moved_kernel = field_kernel(*moved, fields)
        assert not np.allclose(moved_kernel, field_kernel(IMAGES, OTHERS, fields), rtol=0.01)


def drawn(fields, units, generator):
    """A network in torch: position by position, its kernel from gradients of all its weights."""
    made, correlation = windows(fields)
    values, vectors = np.linalg.eigh(correlation)
    root = torch.from_numpy(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)
    count = len(made)
    weights = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((count, units, 2, SIDE**2), (300, count * units), (300,))
    ]
    images = torch.from_numpy(IMAGES.reshape(4, 2, -1))
    gradients = []
    for image in images:
        seen = torch.stack([image * torch.from_numpy(window) for window in made])
        hidden = torch.einsum("znci,ij,zcj->zn", weights[0], root, seen)
        hidden = torch.relu(math.sqrt(2) * hidden).ravel()
        second = torch.relu(math.sqrt(2 / len(hidden)) * (weights[1] @ hidden))
        output = weights[2] @ second / math.sqrt(300)
        gradients.append(torch.cat([one.ravel() for one in torch.autograd.grad(output, weights)]))
    stacked = torch.stack(gradients)
    return (stacked @ stacked.T).numpy()


@pytest.mark.parametrize("fields", [Fields(2, 0.25), Fields(2, 0.4, 1.2)])
def test_wide_networks_have_this_kernel(fields):
    """Gradients of eight networks of 400 units: means within four standard errors and 2 %.

    Ten entries: one is beyond four errors by chance with a probability below 5 % (t, 7 degrees), but for
    the 2 % that are allowed besides.
    """
    generator = torch.Generator().manual_seed(1)
    draws = np.array([drawn(fields, 100, generator) for _ in range(8)])
    error = draws.std(axis=0, ddof=1) / math.sqrt(8)
    expected = field_kernel(IMAGES, fields=fields)
    assert (error < 0.08 * expected.diagonal().mean()).all()
    assert (np.abs(draws.mean(axis=0) - expected) < 4 * error + 0.02 * expected.diagonal().mean()).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0,), "a grid of 0 positions"),
        ((2.0,), r"a grid of 2\.0 positions"),
        ((True,), "a grid of True positions"),
        ((3, 0.0), "radius 0.0 hold no pixel"),
        ((3, -1.0), r"radius -1\.0"),
        ((3, math.nan), "radius nan"),
        ((3, 0.1, -1.0), r"correlated over -1\.0 pixels"),
        ((3, 0.1, math.nan), "correlated over nan pixels"),
        ((3, 0.1, math.inf), "correlated over inf pixels"),
    ],
)
def test_what_is_no_window_is_told(given, message):
    with pytest.raises(ConfigError, match=message):
        Fields(*given)


@pytest.mark.parametrize(
    ("images", "others", "error", "message"),
    [
        (IMAGES[0], None, ConfigError, r"no array of \(images, channels, side, side\)"),
        ([[1.0], [1.0, 2.0]], None, ConfigError, "the images are no array"),
        (IMAGES[:, :, :3], None, ConfigError, "no square of pixels"),
        (np.zeros((3, 0, 2, 2)), None, ConfigError, "no square of pixels"),
        (IMAGES + 0j, None, ConfigError, "images are complex"),
        (IMAGES[:1], None, DataError, "there are 1 images; give 2 or more"),
        (IMAGES, OTHERS[:0], DataError, "there are 0 others"),
        (IMAGES, OTHERS[:, :1], ConfigError, r"the others \(1, 6, 6\)"),
        (
            IMAGES * np.array([1, np.nan, 1, 1])[:, None, None, None],
            None,
            DataError,
            "row 1 of the images",
        ),
        (
            IMAGES * np.array([1, 1, 0, 1])[:, None, None, None],
            None,
            DataError,
            "row 2 of the images is zero",
        ),
    ],
)
def test_bad_images_are_told(images, others, error, message):
    with pytest.raises(error, match=message):
        field_kernel(images, others, Fields(3, 0.1))


@pytest.mark.parametrize("correlation", [0.0, 1e-3])
def test_an_image_that_is_zero_in_a_window_is_told(correlation):
    dark = IMAGES.copy()
    dark[2, :, :2, :2] = 0
    fields = Fields(3, 1e-3, correlation)
    with pytest.raises(DataError, match="units at position 1 of 9 see nothing of image 2 of the images"):
        field_kernel(dark, OTHERS, fields)
    with pytest.raises(DataError, match="image 2 of the others"):
        field_kernel(OTHERS, dark, fields)
    assert np.isfinite(field_kernel(dark, fields=Fields(3, 0.3, correlation))).all()


def test_more_images_than_fit_into_memory_are_refused():
    many = np.broadcast_to(np.ones(()), (10**7, 1, 1, 1))
    for fields in (Fields(2, 0.1), Fields(2, 0.1, 1.0)):
        with pytest.raises(ConfigError, match="covariances of 10000000 by 10000000 images"):
            field_kernel(many, fields=fields)


def test_equal_images_have_a_singular_kernel_and_not_an_error():
    twice = np.concatenate([IMAGES, IMAGES[:1]])
    kernel = field_kernel(twice, fields=Fields(3, 0.2))
    np.testing.assert_allclose(kernel[0], kernel[4], rtol=1e-6)
