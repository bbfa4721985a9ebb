"""Training of a linearization: against gradient descent on a linear model, step by step."""

import numpy as np
import pytest

from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.linearization import linearized, spectrum

IDENTITY = 1e-12
"""Fifty steps in one formula and one by one, in doubles."""


def problem(inputs=6, weights=40, repeated=False):
    """Gradients of f at the inputs (T, weights) and at two others, and residuals (T,)."""
    random = np.random.default_rng(3)
    jacobian = random.normal(size=(inputs, weights))
    if repeated:
        jacobian[-1] = jacobian[0]
    return jacobian, random.normal(size=(2, weights)), random.normal(size=inputs)


def descended(jacobian, residual, rate, steps):
    """The weights that gradient descent of (1/2T) |J w - r|^2 reaches from zero."""
    w = np.zeros(jacobian.shape[1])
    for _ in range(steps):
        w -= rate * jacobian.T @ (jacobian @ w - residual) / len(residual)
    return w


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 2, 50])
def test_it_is_gradient_descent_on_the_linear_model(steps, repeated):
    jacobian, others, residual = problem(repeated=repeated)
    kernel = spectrum(jacobian @ jacobian.T)
    assert kernel.rank == (5 if repeated else 6)
    rate = 0.5 * kernel.inputs / kernel.largest
    expected = others @ descended(jacobian, residual, rate, steps)
    found = linearized(kernel, others @ jacobian.T, residual, rate, steps)
    np.testing.assert_allclose(found, expected, atol=IDENTITY)


def test_many_steps_reach_the_targets_and_eq_1_8():
    jacobian, others, residual = problem()
    gram = jacobian @ jacobian.T
    kernel = spectrum(gram)
    at_inputs = linearized(kernel, gram, residual, 0.1)
    np.testing.assert_allclose(at_inputs, residual, rtol=1e-10)
    least = np.linalg.lstsq(jacobian, residual, rcond=None)[0]
    limit = linearized(kernel, others @ jacobian.T, residual, 0.1)
    np.testing.assert_allclose(limit, others @ least, rtol=1e-10)
    rate = kernel.inputs / kernel.largest
    late = linearized(kernel, others @ jacobian.T, residual, rate, 10**5)
    np.testing.assert_allclose(late, limit, rtol=1e-10)


def test_of_equal_inputs_the_limit_is_the_weights_of_least_norm():
    """The mean of what two equal inputs ask for, by Moore and Penrose."""
    jacobian, others, residual = problem(repeated=True)
    gram = jacobian @ jacobian.T
    least = np.linalg.lstsq(jacobian, residual, rcond=1e-12)[0]
    found = linearized(spectrum(gram), others @ jacobian.T, residual, 0.1)
    np.testing.assert_allclose(found, others @ least, rtol=1e-9)
    at_inputs = linearized(spectrum(gram), gram, residual, 0.1)
    assert at_inputs[0] == pytest.approx((residual[0] + residual[-1]) / 2, rel=1e-9)


def test_one_linear_layer_on_one_input_in_closed_form():
    """f = <w, x>: the error falls by 1 - eta |x|^2 in every step."""
    x = np.array([[3.0, 4.0]])
    kernel = spectrum(x @ x.T)
    for steps in range(5):
        found = linearized(kernel, np.array([[25.0]]), np.array([2.0]), 0.01, steps)
        assert found[0] == pytest.approx(2 * (1 - 0.75**steps), rel=IDENTITY)


def test_what_fits_nothing_is_refused():
    kernel = spectrum(np.eye(2))
    with pytest.raises(ConfigError, match="do not fit 2 inputs"):
        linearized(kernel, np.ones((1, 3)), np.ones(2), 0.1)
    with pytest.raises(ConfigError, match="do not fit 2 inputs"):
        linearized(kernel, np.ones((1, 2)), np.ones(3), 0.1)
    for rate, steps in ((0.0, 1), (-1.0, None), (float("nan"), 1), (0.1, -1)):
        with pytest.raises(ConfigError, match="no gradient descent"):
            linearized(kernel, np.ones((1, 2)), np.ones(2), rate, steps)
    with pytest.raises(ConfigError, match="not one of inputs by inputs"):
        spectrum(np.ones((2, 3)))
    with pytest.raises(ConfigError, match="nothing can be learned"):
        spectrum(np.zeros((2, 2)))
    with pytest.raises(NonFiniteError, match="no inverse"):
        spectrum(np.array([[1.0, np.nan], [np.nan, 1.0]]))


@pytest.mark.parametrize("unit", [1e-20, 1.0, 1e20])
def test_rounding_is_judged_in_the_kernel_s_own_units(unit):
    """Outputs in other units change no rank, and nothing of what training adds but its unit."""
    for repeated, rank in ((False, 6), (True, 5)):
        jacobian, others, residual = problem(repeated=repeated)
        gram, cross = unit * jacobian @ jacobian.T, unit * others @ jacobian.T
        assert spectrum(gram).rank == rank
        plain = spectrum(gram / unit)
        for steps in (3, None):
            found = linearized(spectrum(gram), cross, residual, 0.1 / unit, steps)
            expected = linearized(plain, cross / unit, residual, 0.1, steps)
            np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_kernel_that_is_symmetric_but_for_rounding_is_taken_as_its_mean():
    gram = problem()[0] @ problem()[0].T
    off = np.triu(1e-3 * gram, 1)
    found, expected = spectrum(gram + off), spectrum(gram + (off + off.T) / 2)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-12)


def test_a_negative_eigenvalue_of_rounding_is_left_out():
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    kernel = vectors @ np.diag([3.0, 2.0, 1.0, -1e-16]) @ vectors.T
    found = spectrum(kernel)
    assert found.rank == 3
    np.testing.assert_allclose(found.values, [1.0, 2.0, 3.0], rtol=1e-12)
    assert found.largest == pytest.approx(3.0)
