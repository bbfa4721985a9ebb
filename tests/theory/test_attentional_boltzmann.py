"""Boltzmann machines made of attention, against mixtures of Gaussians written out, and autograd."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory.attentional_boltzmann import (
    AttentionalBoltzmann,
    excess_loss,
    growth_factor,
    mean_factor,
    of_mixture,
    steps_until,
)


def machine(hidden=3, dimensions=2, seed=0):
    generator = np.random.default_rng(seed)
    return AttentionalBoltzmann(
        generator.normal(size=(hidden, dimensions)),
        generator.normal(size=dimensions),
        generator.normal(size=hidden),
    )


DATA = np.random.default_rng(1).normal(size=(7, 2))


def gaussians(found, v):
    """pi_mu N(v; b + w_mu, I), (n, K), by scipy."""
    columns = [
        share * stats.multivariate_normal(centre).pdf(v)
        for share, centre in zip(found.mixing, found.visible_bias + found.weights, strict=True)
    ]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("hidden", [1, 2, 5])
def test_it_is_a_mixture_of_gaussians(hidden):
    found = machine(hidden)
    parts = gaussians(found, DATA)
    assert np.allclose(np.exp(found.log_density(DATA)), parts.sum(axis=1), rtol=1e-12)
    assert np.allclose(found.attention(DATA), parts / parts.sum(axis=1, keepdims=True), rtol=1e-12)
    assert found.mixing.sum() == pytest.approx(1.0)
    assert np.allclose(np.exp(found.log_mixing), found.mixing)


def test_the_partition_function_is_the_integral():
    found = machine(dimensions=1)
    integral = integrate.quad(lambda x: np.exp(-found.energy(np.array([[x]]))[0]), -12, 12)[0]
    assert found.log_partition == pytest.approx(np.log(integral), rel=1e-9)


def loss(weights, visible_bias, hidden_bias, v):
    """The mean of -log p in torch, from the mixture."""
    centres = visible_bias + weights
    logs = torch.log_softmax(weights.square().sum(1) / 2 + weights @ visible_bias + hidden_bias, dim=0)
    apart = (v[:, None] - centres).square().sum(-1) / 2
    constant = v.shape[1] / 2 * np.log(2 * np.pi)
    return constant - torch.logsumexp(logs - apart, dim=1).mean()


def test_gradients_are_those_of_autograd():
    found = machine()
    parameters = [
        torch.tensor(one, requires_grad=True)
        for one in (found.weights, found.visible_bias, found.hidden_bias)
    ]
    value = loss(*parameters, torch.tensor(DATA))
    value.backward()
    assert found.loss(DATA) == pytest.approx(value.item(), rel=1e-12)
    own = found.gradients(DATA)
    for one, parameter in zip((own.weights, own.visible_bias, own.hidden_bias), parameters, strict=True):
        assert np.allclose(one, parameter.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_growth_is_that_of_the_hessian_at_zero_weights():
    """Differences have -(lambda - 1)/K, K - 1 times; the mean weight has 1/K."""
    hidden, rate = 4, 0.3
    v = np.random.default_rng(2).normal(size=(30, 3)) * [2.0, 1.0, 0.5] + [1.0, -2.0, 0.0]
    mean = torch.tensor(v.mean(axis=0))
    hessian = torch.autograd.functional.hessian(
        lambda w: loss(w, mean, torch.zeros(hidden, dtype=torch.float64), torch.tensor(v)),
        torch.zeros(hidden, 3, dtype=torch.float64),
    )
    steps = 1 - rate * np.linalg.eigvalsh(hessian.reshape(12, 12).numpy())
    eigenvalues = np.linalg.eigvalsh(np.cov(v.T, bias=True))
    expected = [*np.repeat(growth_factor(eigenvalues, rate, hidden), hidden - 1)]
    expected += [mean_factor(rate, hidden)] * 3
    assert np.allclose(np.sort(steps), np.sort(expected), rtol=1e-9)


def test_a_mixture_is_the_machine_of_its_centres():
    centres, log_mixing = np.array([[1.0, 2.0], [30.0, -4.0]]), np.log([0.9, 0.1])
    found = of_mixture(centres, np.array([1.0, -1.0]), log_mixing + 5)
    assert np.allclose(found.centres, centres)
    assert np.allclose(found.log_mixing, log_mixing)


def test_samples_have_its_moments():
    """Means of 20000 draws, five standard errors wide: one alarm in 10^6."""
    found = machine()
    drawn = found.sample(20_000, np.random.default_rng(3))
    mean = found.mixing @ found.centres
    assert np.all(np.abs(drawn.mean(axis=0) - mean) < 5 * drawn.std(axis=0) / 20_000**0.5)
    second = 1 + found.mixing @ np.square(found.centres)
    squares = np.square(drawn)
    assert np.all(np.abs(squares.mean(axis=0) - second) < 5 * squares.std(axis=0) / 20_000**0.5)


def test_large_weights_overflow_nothing():
    found = of_mixture(np.array([[1e150, 0.0], [-40.0, 0.0]]), np.zeros(2), np.zeros(2))
    assert np.isfinite(found.log_partition)
    assert found.attention(np.array([[-40.0, 0.0]])).tolist() == [[0.0, 1.0]]


def test_small_weights_that_do_not_differ_attend_to_all():
    found = AttentionalBoltzmann(np.zeros((4, 2)), np.zeros(2), np.zeros(4))
    assert found.attention(DATA) == pytest.approx(np.full((7, 4), 0.25))


@pytest.mark.parametrize("eigenvalues", [(3.0, 0.5), (1.1, 1.0), (900.0, 0.1)])
def test_steps_are_those_of_repeated_growth(eigenvalues):
    sizes, values = np.array([1e-3, 2e-3]), np.array(eigenvalues)
    factor, now, steps = 1 + 0.4 * (values - 1) / 2, sizes, 0
    while (now**2).mean() < 0.01**2:
        now, steps = now * factor, steps + 1
    assert steps_until(0.01, sizes, values, 0.4, 2) == steps


def test_what_is_reached_takes_no_step():
    assert steps_until(0.1, np.array([0.2, 0.2]), np.array([2.0, 0.5]), 0.1, 2) == 0


def test_steps_near_the_edge_are_many_and_found_at_once():
    steps = steps_until(0.1, np.array([1e-3]), np.array([1 + 1e-6]), 1e-3, 10)
    assert steps == pytest.approx(np.log(100) / 1e-10, rel=1e-3)


def test_one_gaussian_has_the_excess_of_a_mean():
    """The mean of n vectors, whose loss exceeds the truth's by half its squared error; five errors."""
    generator, samples, dimensions = np.random.default_rng(4), 50, 4
    means = generator.normal(size=(2000, samples, dimensions)).mean(axis=1)
    excess = np.square(means).sum(axis=1) / 2
    error = 5 * excess.std() / 2000**0.5
    assert excess_loss(1, dimensions, samples) == pytest.approx(excess.mean(), abs=error)


@pytest.mark.parametrize(
    ("weights", "visible", "hidden"),
    [((3, 2), 3, 3), ((3, 2), 2, 2), ((0, 2), 2, 0), ((6,), 6, 6), ((2, 0), 0, 2)],
)
def test_parameters_that_do_not_fit_are_refused(weights, visible, hidden):
    with pytest.raises(ConfigError, match=r"make no machine; give \(K, D\), \(D,\) and \(K,\)"):
        AttentionalBoltzmann(np.zeros(weights), np.zeros(visible), np.zeros(hidden))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(NonFiniteError, match="a parameter of the machine is not finite"):
        AttentionalBoltzmann(np.full((2, 1), bad), np.zeros(1), np.zeros(2))
    with pytest.raises(NonFiniteError, match="the data hold a number that is not finite"):
        machine().loss(np.array([[0.0, bad]]))


@pytest.mark.parametrize("shape", [(0, 2), (4, 3), (2,)])
def test_data_that_do_not_fit_are_refused(shape):
    for question in (machine().attention, machine().energy, machine().gradients):
        with pytest.raises(DataError, match="do not fit a machine of 2 visible units"):
            question(np.zeros(shape))


@pytest.mark.parametrize("rate", [0.0, -0.1, np.nan, np.inf])
def test_a_rate_that_makes_no_step_is_refused(rate):
    for question in (lambda: growth_factor([2.0], rate, 2), lambda: mean_factor(rate, 2)):
        with pytest.raises(ConfigError, match="makes no step; choose a positive number"):
            question()


def test_one_hidden_unit_has_nothing_to_learn():
    with pytest.raises(ConfigError, match="1 hidden units have no differences"):
        growth_factor([2.0], 0.1, 1)


@pytest.mark.parametrize("eigenvalues", [[-0.1], [np.nan], [np.inf]])
def test_no_covariance_has_these_eigenvalues(eigenvalues):
    with pytest.raises(ConfigError, match="eigenvalues of a covariance"):
        growth_factor(eigenvalues, 0.1, 2)


@pytest.mark.parametrize(("sizes", "eigenvalues"), [((1e-3, 1e-3), (1.0, 0.5)), ((0, 1e-3), (3.0, 0.5))])
def test_steps_never_end_where_nothing_grows(sizes, eigenvalues):
    with pytest.raises(ConfigError, match="so that nothing is learned"):
        steps_until(0.1, np.array(sizes), np.array(eigenvalues), 0.1, 2)


@pytest.mark.parametrize("counts", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_counts_below_one_have_no_excess(counts):
    with pytest.raises(ConfigError, match="must be 1 or more"):
        excess_loss(*counts)
