"""Steps of natural gradients, against autograd and matrices of all weights, and in wide networks."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

from dynparam.engines.natural_gradient import Point, gradient, natural_gradient
from dynparam.engines.network import MLP, draw_weights
from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory.natural_gradient import APPROXIMATIONS, speed
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths

REACH = {"exact": 9, "block_diagonal": 0, "block_tridiagonal": 1}


def point(sizes=(5, 12, 8, 12, 1), inputs=3, name="standard", seed=0):
    """A network at work on Gaussian inputs, its residual drawn."""
    random = torch.Generator().manual_seed(seed)
    widths = Widths(sizes)
    scales = layer_scales(name, widths)
    weights = draw_weights(widths, scales, random, torch.float64)
    images = torch.randn(inputs, sizes[0], dtype=torch.float64, generator=random)
    residual = torch.randn(inputs, sizes[-1], dtype=torch.float64, generator=random)
    return Point(weights, scales.multiplier, images, residual)


def jacobian(at):
    """Gradients of all outputs for each layer by autograd, (N, C, n_l, n_{l-1})."""
    model = MLP(at.weights, at.multiplier)
    parameters = {name: one.detach() for name, one in model.named_parameters()}
    return list(jacrev(lambda p: functional_call(model, p, (at.images,)))(parameters).values())


def by_hand(approximation, at):
    """The moves from the Fisher matrix of all weights, its blocks kept and inverted."""
    layers = jacobian(at)
    blocks = [j.flatten(2).flatten(0, 1).numpy() for j in layers]
    whole, count = np.concatenate(blocks, axis=1), len(at.images)
    owner = np.repeat(np.arange(len(blocks)), [j.shape[1] for j in blocks])
    kept = np.abs(owner[:, None] - owner) <= REACH[approximation]
    fisher = whole.T @ whole / count * kept
    moves = np.linalg.pinv(fisher, rcond=1e-10) @ whole.T @ at.residual.numpy().ravel() / count
    parts = np.split(moves, np.flatnonzero(np.diff(owner)) + 1)
    return [part.reshape(weight.shape) for part, weight in zip(parts, at.weights, strict=True)]


def kfac_by_hand(at):
    """B^+ G A^+ of each layer, with second moments of backward and forward signals by autograd."""
    z = MLP(at.weights, at.multiplier).preactivations(at.images)
    h = [at.images, *(one.detach().relu() for one in z[:-1])]
    delta = torch.autograd.grad(z[-1].sum(), z)
    moves, count = [], len(at.images)
    for g, below, back, gradients in zip(at.multiplier, h, delta, jacobian(at), strict=True):
        a = g**2 * below.T @ below / count
        b = back.T @ back / count
        mean = (at.residual[:, :, None, None] * gradients).sum(dim=(0, 1)) / count
        moves.append(torch.linalg.pinv(b, rtol=1e-10) @ mean @ torch.linalg.pinv(a, rtol=1e-10))
    return [one.numpy() for one in moves]


@pytest.mark.parametrize("sizes", [(5, 12, 8, 12, 1), (5, 12, 8, 12, 2)])
@pytest.mark.parametrize("approximation", list(REACH))
def test_moves_are_those_of_the_fisher_matrix(approximation, sizes):
    at = point(sizes, name="dynamic")
    expected = by_hand(approximation, at)
    largest = max(np.abs(one).max() for one in expected)
    for move, one in zip(natural_gradient(approximation, at), expected, strict=True):
        assert np.allclose(move.numpy(), one, rtol=1e-6, atol=1e-8 * largest)


@pytest.mark.parametrize("name", ["standard", "spectral"])
def test_kfac_is_that_of_moments_of_units(name):
    at = point((7, 16, 12, 16, 1), name=name)
    for move, expected in zip(natural_gradient("kfac", at), kfac_by_hand(at), strict=True):
        assert np.allclose(move.numpy(), expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_gradient_is_autograd_s(outputs):
    at = point((5, 6, 7, outputs))
    model = MLP(at.weights, at.multiplier)
    target = model(at.images).detach() - at.residual
    ((model(at.images) - target).square().sum() / 2 / len(at.images)).backward()
    for found, weight in zip(gradient(at), model.weights, strict=True):
        assert torch.allclose(found, weight.grad, rtol=1e-12)


@pytest.mark.parametrize("approximation", APPROXIMATIONS)
def test_an_infinitesimal_step_lowers_every_residual_at_its_speed(approximation):
    """At any width: J times the moves is a r. K-FAC's by the same, its units as many as inputs."""
    at = point((9, 24, 24, 24, 1), inputs=6)
    moves = natural_gradient(approximation, at)
    moved = sum(
        torch.einsum("ncij,ij->nc", j, move) for j, move in zip(jacobian(at), moves, strict=True)
    )
    expected = speed(approximation, 4, 6) * at.residual
    assert torch.allclose(moved, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("approximation", APPROXIMATIONS)
def test_multipliers_of_a_function_matter_to_the_exact_one_alone(approximation):
    """The same function by ntk and standard, after one step of each: K_l and A_l scale out."""
    sizes, inputs = (16, 40, 20, 40, 1), 8
    after = []
    for name in ("ntk", "standard"):
        at = point(sizes, inputs, name)
        eta = 0.3 / speed(approximation, 4, inputs)
        moves = natural_gradient(approximation, at)
        moved = [w - eta * move for w, move in zip(at.weights, moves, strict=True)]
        after.append(MLP(moved, at.multiplier)(at.images).detach())
    same = torch.allclose(*after, rtol=1e-9, atol=1e-10)
    assert same == (approximation != "exact")


def test_weights_are_left_as_they_are():
    at = point()
    before = [w.clone() for w in at.weights]
    natural_gradient("block_diagonal", at)
    assert all(torch.equal(a, b) for a, b in zip(before, at.weights, strict=True))
    assert not any(w.requires_grad for w in at.weights)


@pytest.mark.parametrize("approximation", APPROXIMATIONS)
def test_equal_inputs_are_told(approximation):
    at = point((9, 30, 30, 1), inputs=5)
    at.images[3] = at.images[1]
    with pytest.raises(DataError, match="singular, of rank 4 in place of 5"):
        natural_gradient(approximation, at)


@pytest.mark.parametrize("approximation", ["exact", "block_diagonal", "kfac"])
def test_weights_that_are_not_finite_are_told(approximation):
    at = point((9, 30, 30, 1))
    at.weights[1][0, 0] = torch.nan
    with pytest.raises(NonFiniteError, match="not finite"):
        natural_gradient(approximation, at)


def test_what_does_not_fit_is_told():
    at = point()
    short = Point(at.weights, at.multiplier, at.images, at.residual[:2])
    with pytest.raises(ConfigError, match=r"residual of shape \(2, 1\) does not fit outputs"):
        natural_gradient("exact", short)
    with pytest.raises(ConfigError, match=r"residual of shape \(2, 1\) does not fit outputs"):
        gradient(short)
    with pytest.raises(ConfigError, match="which n_0 = 5 leaves singular"):
        natural_gradient("kfac", point(inputs=8))
    with pytest.raises(ConfigError, match="this one has 3"):
        natural_gradient("kfac", point((9, 30, 30, 3)))
