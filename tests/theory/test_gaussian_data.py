"""The two constants of Gaussian inputs, against kernels on drawn inputs and forms by hand."""

import math

import numpy as np
import pytest

from dynparam.support.errors import ConfigError
from dynparam.theory.activations import by_quadrature
from dynparam.theory.gaussian_data import KernelConstants, kernel_constants
from dynparam.theory.inner_products import inner_products
from dynparam.theory.kernels import ntk
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales


@pytest.mark.parametrize("name", NAMES)
def test_kernels_on_gaussian_inputs_tend_to_the_constants(name):
    """n_0 = 40000, ten inputs: entries off by some n_0^(-1/2) = 0.5 %, six times that allowed."""
    widths = (40_000, 300, 40, 200, 1)
    inputs = np.random.default_rng(0).normal(size=(10, widths[0]))
    scales = layer_scales(name, widths)
    kernel = ntk(inner_products(inputs), widths, scales)
    found = kernel_constants(widths, scales)
    assert kernel.diagonal() == pytest.approx(found.same, rel=0.03)
    off = kernel[~np.eye(10, dtype=bool)]
    assert off == pytest.approx(found.different, abs=0.03 * found.same)
    assert off.mean() == pytest.approx(found.different, rel=0.03)
    values = np.linalg.eigvalsh(kernel / 10)
    assert values[-1] == pytest.approx(found.largest_eigenvalue(10), rel=0.02)
    assert values[:-1] == pytest.approx(found.other_eigenvalue(10), rel=0.06)


@pytest.mark.parametrize("samples", [2, 3, 10])
def test_eigenvalues_of_a_matrix_of_two_numbers(samples):
    found = KernelConstants(same=5.0, different=2.0)
    matrix = (np.full((samples, samples), 2.0) + 3.0 * np.eye(samples)) / samples
    values = np.linalg.eigvalsh(matrix)
    assert values[-1] == pytest.approx(found.largest_eigenvalue(samples))
    assert values[:-1] == pytest.approx(found.other_eigenvalue(samples))


def test_one_hidden_layer_by_hand():
    """Right angles: E phi phi = q / (2 pi), E phi' phi' = 1/4, and q = s_1^2 n_0; <x_s, x_t> = 0."""
    n0, n1, scales = 50, 8, LayerScales((0.3, 0.7), (2.0, 1.5))
    q = (0.3 * 2.0) ** 2 * n0
    found = kernel_constants((n0, n1, 1), scales)
    assert found.same == pytest.approx(0.49 * n1 * q / 2 + 0.09 * n1 * (0.7 * 1.5) ** 2 / 2 * n0)
    assert found.different == pytest.approx(0.49 * n1 * q / (2 * math.pi))


def test_an_odd_activation_has_no_eigenvalue_that_stands_out():
    tanh = by_quadrature("tanh", np.tanh, lambda u: 1 / np.cosh(u) ** 2)
    widths = (100, 50, 20, 1)
    scales = layer_scales("ntk", widths)
    assert kernel_constants(widths, scales, tanh).different == pytest.approx(0, abs=1e-14)
    assert kernel_constants(widths, scales, tanh, biases=True).different > 0.1


@pytest.mark.parametrize("samples", [1, 0, -2, 2.5, 10.0, True, "7", None, float("nan")])
def test_fewer_than_two_inputs_are_refused(samples):
    found = KernelConstants(5.0, 2.0)
    for function in (found.largest_eigenvalue, found.other_eigenvalue):
        with pytest.raises(ConfigError, match="is no number of inputs to compare"):
            function(samples)


def test_widths_are_checked():
    with pytest.raises(ConfigError, match="every width must be an integer"):
        kernel_constants((10, 2.5, 1), LayerScales((1.0, 1.0), (1.0, 1.0)))
    with pytest.raises(ConfigError, match="at least one hidden layer"):
        kernel_constants((10, 1), LayerScales((1.0,), (1.0,)))
