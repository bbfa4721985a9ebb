"""Deep networks near isometry: their constants, and the spectrum of three layers by free probability."""

import numpy as np
import pytest
from scipy import integrate, stats

from dynparam.support.errors import ConfigError
from dynparam.theory.isometry import (
    ThreeLayers,
    clipped_square,
    isometry,
    largest_eigenvalue,
    multiplicity,
)

THREE = ThreeLayers(isometry(3, 0.75))


@pytest.mark.parametrize(("depth", "clipped"), [(2, 0.5), (4, 0.5), (8, 1.5), (64, 0.5), (64, 20.0)])
def test_constants_are_those_of_a_normal_preactivation(depth, clipped):
    found = isometry(depth, clipped)
    u = stats.norm(scale=found.variance**0.5)
    assert u.cdf(1) - u.cdf(-1) == pytest.approx(1 - clipped / depth)
    inside = integrate.quad(lambda x: x**2 * u.pdf(x), -1, 1, epsabs=1e-13)[0]
    assert found.square == pytest.approx(inside + clipped / depth, rel=1e-9)
    assert found.gain * found.square + found.bias_variance == pytest.approx(found.variance)
    assert found.bias_variance > 0
    assert found.gain * found.linear == pytest.approx(1.0)


def test_biases_never_need_a_negative_variance():
    shares = np.concatenate([np.logspace(-12, -2, 50), np.linspace(0.01, 0.999, 200)])
    assert all(isometry(10, 10 * share).bias_variance >= 0 for share in shares)


def test_the_largest_eigenvalue_is_a_geometric_sum():
    for depth in (4, 16, 64):
        found = isometry(depth, 0.5)
        closed = found.square * (found.gain**depth - 1) / (found.gain - 1)
        assert found.largest_eigenvalue == pytest.approx(closed)
        assert found.learning_rate * closed == pytest.approx(2.0)
        same = largest_eigenvalue([found.square] * depth, found.gain)
        assert same == pytest.approx(closed)
        assert found.mean_eigenvalue < closed


def test_layers_below_count_with_more_gains():
    """h^0 goes through all layers, h^{L-1} through none after it."""
    assert largest_eigenvalue([1.0, 2.0, 4.0], 3.0) == 1 * 9 + 2 * 3 + 4
    assert largest_eigenvalue([5.0], 3.0) == 5.0
    assert [multiplicity(100, clipped) for clipped in (0, 40, 99, 100)] == [100, 60, 1, 0]


@pytest.mark.parametrize("clipped", [0.3, 0.75, 1.2])
def test_atoms_lie_where_shares_jump(clipped):
    """At qhat, where the continuum begins and ends, and at the largest eigenvalue."""
    found, p = ThreeLayers(isometry(3, clipped)), 1 - clipped / 3
    square, gain = found.network.square, 1 / p
    start, end = square * (1 + gain), square * (1 + gain + gain**2 * 4 * p * (1 - p))
    top = found.network.largest_eigenvalue
    at = np.array([0.0, square * 0.999, square, start, end, top * (1 - 1e-6), top, 2 * top])
    shares = [0, 0, 1 - p, 1 - p, 2 * (1 - p), 2 * (1 - p), 1, 1]
    assert found.below(at) == pytest.approx(np.array(shares), abs=1e-6)
    outside = np.array([-0.1, 0.0, found.edge, found.edge + 0.01, 1.0])
    assert found.density(outside).tolist() == [0.0] * 5
    assert found.masses == pytest.approx((1 - p, 1 - p, 2 * p - 1))


def test_growth_is_linear_in_depth():
    depths = np.array([100, 200, 400])
    values = [isometry(int(n), 0.5).largest_eigenvalue / isometry(int(n), 0.5).square for n in depths]
    limit = (np.exp(0.5) - 1) / 0.5
    assert np.allclose(values / depths, limit, rtol=0.01)


def test_the_top_is_empty_where_more_is_clipped_than_there_is():
    assert isometry(4, 4 / 3).top_mass == pytest.approx(0.0)
    assert isometry(4, 2.0).top_mass == 0.0
    assert isometry(4, 0.5).top_mass == pytest.approx(1 - 0.5 * 3 / 4)
    assert multiplicity(10, 10) == multiplicity(10, 25) == 0


def test_one_layer_is_a_multiple_of_the_identity():
    found = isometry(1, 0.5)
    assert found.largest_eigenvalue == found.mean_eigenvalue == found.square
    assert found.top_mass == 1.0


@pytest.mark.parametrize("variance", [1e-6, 0.1, 1.0, 1e6])
def test_the_clipped_square_lies_below_both_bounds(variance):
    assert 0 < clipped_square(variance) <= min(1.0, variance)


@pytest.mark.parametrize("clipped", [0.3, 0.75, 1.2])
def test_the_continuum_has_the_moments_of_free_projections(clipped):
    """Of products of two free projections of trace p: p^2 and 2 p^3 - p^4."""
    found = ThreeLayers(isometry(3, clipped))
    p = found.network.linear
    moments = [
        integrate.quad(
            lambda a, k=k: float(
                found.density(np.array(found.edge * np.sin(a) ** 2))
                * (found.edge * np.sin(a) ** 2) ** k
                * found.edge
                * np.sin(2 * a)
            ),
            0,
            np.pi / 2,
        )[0]
        for k in range(3)
    ]
    assert moments[0] == pytest.approx(1 - p, rel=1e-6)
    assert moments[1] == pytest.approx((1 - p) ** 2, rel=1e-6)
    upper = found.masses[2]
    assert upper + moments[1] == pytest.approx(p**2, rel=1e-6)
    assert upper + moments[2] == pytest.approx(2 * p**3 - p**4, rel=1e-6)
    assert sum(found.masses) == pytest.approx(1.0)


def test_the_mean_of_three_layers_is_that_of_any_depth():
    low, _, high = THREE.masses
    mu = np.linspace(0, THREE.edge, 200_001)[1:-1]
    inner = np.trapezoid(THREE.density(mu) * THREE.eigenvalue(mu), mu)
    mean = low * THREE.network.square + inner + high * float(THREE.eigenvalue(np.array(1.0)))
    assert mean == pytest.approx(THREE.network.mean_eigenvalue, rel=2e-3)
    assert float(THREE.eigenvalue(np.array(1.0))) == pytest.approx(THREE.network.largest_eigenvalue)


def test_shares_are_those_of_random_projections():
    """An independent construction: projections onto random subspaces of 1000 dimensions, no network."""
    generator = np.random.default_rng(0)
    count, p = 1000, THREE.network.linear
    kept = round(p * count)
    basis = np.linalg.qr(generator.normal(size=(count, kept)))[0]
    mu = np.linalg.eigvalsh(basis[:kept] @ basis[:kept].T)  # P Q P on the range of P
    values = np.concatenate([np.full(count - kept, THREE.network.square), THREE.eigenvalue(mu)])
    grid = THREE.network.largest_eigenvalue * np.array([0.1, 0.3, 0.6, 0.7, 0.8, 0.95, 1.01])
    measured = [(values <= at).mean() for at in grid]
    assert np.allclose(THREE.below(grid), measured, atol=0.01)


@pytest.mark.parametrize("depth", [0, -1, 2.5, True, "4"])
def test_a_depth_is_a_whole_number(depth):
    with pytest.raises(ConfigError, match="integer from 1 on"):
        isometry(depth, 0.5)


@pytest.mark.parametrize("clipped", [0.0, -0.5, 4.0, 5.0, float("nan")])
def test_a_share_lies_between_zero_and_one(clipped):
    with pytest.raises(ConfigError, match="no probability"):
        isometry(4, clipped)


@pytest.mark.parametrize("network", [isometry(4, 0.5), isometry(3, 1.5), isometry(3, 2.0)])
def test_other_spectra_are_not_known(network):
    with pytest.raises(ConfigError, match="known for three layers"):
        ThreeLayers(network)
