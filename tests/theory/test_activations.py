"""Gaussian expectations of activations, against integrals, closed forms and another rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import erf, expit, ndtr

from dynparam.support.errors import ConfigError
from dynparam.theory.activations import RELU, by_quadrature

SMOOTH = {
    "tanh": (np.tanh, lambda u: 1 / np.cosh(u) ** 2),
    "erf": (erf, lambda u: 2 / np.sqrt(np.pi) * np.exp(-(u**2))),
    "swish": (lambda u: u * expit(u), lambda u: expit(u) * (1 + u * (1 - expit(u)))),
    "gelu": (lambda u: u * ndtr(u), lambda u: ndtr(u) + u * stats.norm.pdf(u)),
    "sine": (np.sin, np.cos),
}


def half_line(q, p, c):
    """ReLU's moments as integrals over u > 0: given u, v is normal, of known mean and spread."""
    spread = np.sqrt(p - c * c / q)

    def given_u(u):
        mean = c * u / q
        return mean * ndtr(mean / spread) + spread * stats.norm.pdf(mean / spread)

    def density(u):
        return stats.norm.pdf(u, scale=np.sqrt(q))

    value = integrate.quad(lambda u: u * given_u(u) * density(u), 0, 12 * np.sqrt(q), epsabs=1e-13)
    slope = integrate.quad(
        lambda u: ndtr(c * u / q / spread) * density(u), 0, 12 * np.sqrt(q), epsabs=1e-13
    )
    return value[0], slope[0]


@settings(max_examples=40, deadline=None)
@given(
    q=st.floats(0.01, 100), p=st.floats(0.01, 100), cosine=st.floats(-0.999, 0.999).filter(lambda c: c)
)
def test_relu_is_an_integral_over_a_half_line(q, p, cosine):
    c = cosine * np.sqrt(q * p)
    found = RELU.pair(np.array([q]), np.array([p]), np.array([c]))
    value, slope = half_line(q, p, c)
    assert found.value[0] == pytest.approx(value, abs=1e-9 * np.sqrt(q * p))
    assert found.slope[0] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-8, 1.0, 1e8, 1e300])
def test_relu_keeps_its_form_at_any_size(size):
    q = np.full(3, size)
    value, slope = RELU.pair(q, q, size * np.array([1.0, 0.0, -1.0]))
    assert value / size == pytest.approx([0.5, 1 / (2 * np.pi), 0.0], abs=1e-8)
    assert slope == pytest.approx([0.5, 0.25, 0.0], abs=1e-8)
    single = RELU.single(q)
    assert (single.value == size / 2).all()
    assert (single.slope == 0.5).all()


@pytest.mark.parametrize("beyond", [1 + 1e-15, 1 + 1e-9, -1 - 1e-9])
def test_rounding_beyond_parallel_inputs_does_no_harm(beyond):
    one = np.ones(1)
    value, slope = RELU.pair(one, one, beyond * one)
    assert value[0] == pytest.approx(0.5 if beyond > 0 else 0.0, abs=1e-8)
    assert slope[0] == pytest.approx(0.5 if beyond > 0 else 0.0, abs=1e-8)


def test_quadrature_of_relu_is_coarse_and_says_so():
    """Against the closed form: the kink leaves an error of one over the nodes, refused by default."""
    functions = (lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0)
    q, p, c = np.array([1.0, 0.5, 2.0]), np.array([1.0, 3.0, 2.0]), np.array([0.3, -0.8, 1.6])
    exact = RELU.pair(q, p, c)
    errors = []
    for nodes in (50, 200):
        found = by_quadrature("relu", *functions, nodes=nodes).pair(q, p, c)
        size = np.sqrt(q * p)
        assert found.value / size == pytest.approx(exact.value / size, abs=0.05 / nodes)
        assert found.slope == pytest.approx(exact.slope, abs=2 / nodes)
        errors.append(np.max(np.abs(found.slope - exact.slope)))
    assert errors[1] < errors[0]
    with pytest.raises(ConfigError, match=r"wrong by some 0\.\d+ of the moments of relu"):
        by_quadrature("relu", *functions).single(np.ones(1))
    by_quadrature("relu", *functions, tolerance=0.05).single(np.ones(1))


def gauss_hermite(phi, slope, q, p, c, nodes=150):
    """Another rule for the same integrals: Gauss-Hermite with ``nodes`` in each direction."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    u = np.sqrt(q) * points[:, None]
    v = c / np.sqrt(q) * points[:, None] + np.sqrt(p - c * c / q) * points
    plane = np.outer(weights, weights) / (2 * np.pi)
    return (plane * phi(u) * phi(v)).sum(), (plane * slope(u) * slope(v)).sum()


@pytest.mark.parametrize("name", SMOOTH)
def test_quadrature_agrees_with_gauss_hermite(name):
    phi, slope = SMOOTH[name]
    made = by_quadrature(name, phi, slope)
    for q, p, cosine in ((1.0, 1.0, 0.3), (0.2, 1.5, -0.9), (2.0, 1.0, 0.99), (1.5, 0.01, 0.0)):
        c = cosine * np.sqrt(q * p)
        found = made.pair(np.array([q]), np.array([p]), np.array([c]))
        assert (found.value[0], found.slope[0]) == pytest.approx(
            gauss_hermite(phi, slope, q, p, c), abs=3e-8
        )


@settings(max_examples=40, deadline=None)
@given(q=st.floats(0.01, 4), p=st.floats(0.01, 4), cosine=st.floats(-1, 1))
def test_quadrature_of_erf_is_an_arcsine(q, p, cosine):
    """Williams (1997): E erf erf = (2/pi) asin(2c / sqrt((1+2q)(1+2p))); the slope's is Gaussian."""
    c = cosine * np.sqrt(q * p)
    found = by_quadrature("erf", *SMOOTH["erf"]).pair(np.array([q]), np.array([p]), np.array([c]))
    root = np.sqrt((1 + 2 * q) * (1 + 2 * p))
    assert found.value[0] == pytest.approx(2 / np.pi * np.arcsin(2 * c / root), abs=1e-9)
    assert found.slope[0] == pytest.approx(4 / np.pi / np.sqrt(root**2 - 4 * c * c), abs=1e-9)


@pytest.mark.parametrize("name", SMOOTH)
def test_one_input_is_a_pair_of_equal_ones(name):
    made = by_quadrature(name, *SMOOTH[name])
    q = np.array([0.1, 1.0, 3.0])
    for alone, together in zip(made.single(q), made.pair(q, q, q), strict=True):
        assert alone == pytest.approx(together, rel=1e-12)


@pytest.mark.parametrize(("name", "variance"), [("tanh", 20.0), ("erf", 50.0), ("swish", 1e4)])
def test_a_variance_too_large_for_the_nodes_is_refused(name, variance):
    made = by_quadrature(name, *SMOOTH[name])
    made.single(np.array([1.0, 0.5]))
    with pytest.raises(ConfigError, match=rf"of {name} at the variance .*; take more nodes"):
        made.single(np.array([1.0, variance]))


@pytest.mark.parametrize("nodes", [39, 0, -1])
def test_few_nodes_are_refused(nodes):
    with pytest.raises(ConfigError, match="too few for a quadrature; take 40 or more"):
        by_quadrature("tanh", *SMOOTH["tanh"], nodes=nodes)


def test_an_activation_that_is_zero_or_not_finite_is_refused():
    for function in (lambda u: 0 * u, lambda u: np.where(u > 3, np.nan, u)):
        with (
            pytest.raises(ConfigError, match="of odd at the variance 1 are zero or not finite"),
            np.errstate(invalid="ignore"),
        ):
            by_quadrature("odd", function, function).single(np.ones(1))
