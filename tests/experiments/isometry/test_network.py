"""Networks of orthogonal weights, against autograd and against explicit gradient descent."""

import numpy as np
import pytest
import torch

from dynparam.experiments.isometry import network
from dynparam.support.errors import NonFiniteError
from dynparam.theory.isometry import isometry, largest_eigenvalue, multiplicity

UNITS = 30


def generator(seed=0):
    return np.random.default_rng(seed)


def jacobians(weights, biases, first):
    """The output's Jacobian for all weights, by autograd: (M, L M M)."""
    w = torch.from_numpy(np.array(weights)).requires_grad_()
    h = torch.from_numpy(first)
    for layer, bias in enumerate(biases):
        h = torch.nn.functional.hardtanh(w[layer] @ h + torch.from_numpy(bias))
    f = w[-1] @ h
    return torch.stack([torch.autograd.grad(one, w, retain_graph=True)[0].flatten() for one in f]), f


@pytest.mark.parametrize("depth", [2, 5])
def test_the_kernel_is_that_of_autograd(depth):
    stored = network.draw_whole(isometry(depth, 0.8), UNITS, generator())
    jacobian, f = jacobians(stored.weights, stored.biases, stored.first)
    expected = (jacobian @ jacobian.T).numpy()
    assert np.allclose(network.tangent_kernel(stored), expected, rtol=1e-12, atol=1e-12)
    assert np.allclose(network.outputs(stored), f.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_the_recursion_is_the_fisher_information_of_the_network_drawn(depth):
    """The same random numbers in the same order, kept as whole matrices here."""
    model, one = isometry(depth, 0.6), generator(3)
    first = np.clip(one.normal(size=UNITS) * model.variance**0.5, -1, 1)
    weights, biases = [model.gain**0.5 * network.orthogonal(one, UNITS)], []
    for _ in range(depth - 1):
        biases.append(one.normal(size=UNITS) * model.bias_variance**0.5)
        weights.append(model.gain**0.5 * network.orthogonal(one, UNITS))
    jacobian, _ = jacobians(weights, biases, first)
    passed = network.pass_once(model, UNITS, generator(3))
    assert np.allclose(UNITS * passed.fisher, (jacobian @ jacobian.T).numpy(), rtol=1e-11, atol=1e-11)
    assert passed.mean_squares[0] == pytest.approx(first @ first / UNITS)


@pytest.mark.parametrize(("depth", "units"), [(4, 60), (16, 60), (40, 80)])
def test_the_identity_holds_with_its_multiplicity(depth, units):
    model = isometry(depth, 0.5)
    for seed in range(3):
        passed = network.pass_once(model, units, generator(seed))
        values = np.linalg.eigvalsh(passed.fisher)
        exact = largest_eigenvalue(passed.mean_squares, model.gain)
        often = multiplicity(units, passed.clipped)
        assert 0 < often < units
        assert values[-1] == pytest.approx(exact, rel=1e-10)
        assert (values > exact * (1 - 1e-9)).sum() == often


def test_where_more_is_clipped_than_there_are_units_the_identity_is_a_bound():
    model = isometry(8, 4.0)
    passed = network.pass_once(model, 40, generator(1))
    assert multiplicity(40, passed.clipped) == 0
    assert np.linalg.eigvalsh(passed.fisher)[-1] < largest_eigenvalue(passed.mean_squares, model.gain)


def test_matrices_are_uniform_over_orthogonal_ones():
    """Of 2000 of 6 rows: the trace has mean 0 and mean square 1, which a bare QR factor has not."""
    one = generator()
    drawn = np.array([network.orthogonal(one, 6) for _ in range(2000)])
    assert np.allclose(drawn @ drawn.transpose(0, 2, 1), np.eye(6), atol=1e-12)
    traces = np.trace(drawn, axis1=1, axis2=2)
    assert abs(traces.mean()) < 4 / 2000**0.5
    assert np.square(traces).mean() == pytest.approx(1.0, abs=4 * (2 / 2000) ** 0.5)


def test_gaussian_weights_have_columns_of_unit_length():
    drawn = network.gaussian(generator(), 400)
    assert np.square(drawn).sum(axis=0).mean() == pytest.approx(1.0, abs=0.02)


def stable_by_torch(stored, targets, rate, steps):
    """The same question asked of torch's optimizer."""
    w = torch.nn.Parameter(torch.from_numpy(stored.weights.copy()))
    y, losses = torch.from_numpy(targets), []
    optimizer = torch.optim.SGD([w], lr=rate)
    for _ in range(steps):
        h = torch.from_numpy(stored.first)
        for layer, bias in enumerate(stored.biases):
            h = torch.nn.functional.hardtanh(w[layer] @ h + torch.from_numpy(bias))
        loss = (w[-1] @ h - y).square().sum() / 2
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return max(losses) <= losses[0] * (1 + 1e-9)


def test_the_stable_rate_is_the_edge_of_gradient_descent():
    one = generator(5)
    stored = network.draw_whole(isometry(4, 0.5), UNITS, one)
    targets = network.outputs(stored) + 1e-4 * one.normal(size=UNITS)
    unit = 1 / np.linalg.eigvalsh(network.tangent_kernel(stored))[-1]
    found = network.largest_stable_rate(stored, targets, unit, 60)
    assert found == pytest.approx(2.0, rel=0.03)
    assert stable_by_torch(stored, targets, 0.99 * found * unit, 60)
    assert not stable_by_torch(stored, targets, 1.01 * found * unit, 60)


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_a_range_without_an_edge_is_told(scale):
    one = generator(5)
    stored = network.draw_whole(isometry(4, 0.5), UNITS, one)
    targets = network.outputs(stored) + 1e-4 * one.normal(size=UNITS)
    unit = scale / np.linalg.eigvalsh(network.tangent_kernel(stored))[-1]
    with pytest.raises(NonFiniteError, match="no edge between"):
        network.largest_stable_rate(stored, targets, unit, 60)


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_a_run_of_few_steps_has_an_edge_of_its_own(steps):
    """No loss may exceed the first, by however little: few steps leave it little room to grow."""
    one = generator(5)
    stored = network.draw_whole(isometry(4, 0.5), UNITS, one)
    targets = network.outputs(stored) + 1e-4 * one.normal(size=UNITS)
    unit = 1 / np.linalg.eigvalsh(network.tangent_kernel(stored))[-1]
    for rate in np.linspace(1.9, 4.0, 22):
        assert network._stable(stored, targets, rate * unit, steps) == stable_by_torch(
            stored, targets, rate * unit, steps
        )


def test_the_edge_is_found_to_its_resolution():
    """Half a cell of the finest bisection on either side."""
    one = generator(5)
    stored = network.draw_whole(isometry(4, 0.5), UNITS, one)
    targets = network.outputs(stored) + 1e-4 * one.normal(size=UNITS)
    unit = 1 / np.linalg.eigvalsh(network.tangent_kernel(stored))[-1]
    found, half = network.largest_stable_rate(stored, targets, unit, 60), 1 + network.RESOLUTION
    assert pytest.approx(4 ** (2**-8) - 1) == network.RESOLUTION
    assert stable_by_torch(stored, targets, found / half**0.51 * unit, 60)
    assert not stable_by_torch(stored, targets, found * half**0.51 * unit, 60)


def test_a_network_that_is_kept_has_the_sizes_of_the_limit():
    """Of four networks of 60 units: mean squares of all h, the share that is clipped, and biases."""
    units, model = 60, isometry(8, 2.0)
    kept = [network.draw_whole(model, units, generator(seed)) for seed in range(4)]
    squares, clipped = [], []
    for stored in kept:
        below, slopes, f = network._forward(stored, stored.weights)
        assert len(below) == 8
        assert len(slopes) == len(stored.biases) == 7
        squares.append([h @ h / units for h in below])
        clipped.append(1 - np.mean(slopes))
        assert f @ f == pytest.approx(model.gain * below[-1] @ below[-1])
        for weight in stored.weights:
            assert np.allclose(weight @ weight.T, model.gain * np.eye(units), atol=1e-10)
    assert np.mean(squares, axis=0) == pytest.approx(model.square, rel=0.25)
    assert np.mean(squares) == pytest.approx(model.square, rel=0.06)
    assert np.mean(clipped) == pytest.approx(2 / 8, abs=0.04)
    biases = np.concatenate([stored.biases for stored in kept])
    assert biases.var() == pytest.approx(model.bias_variance, rel=0.12)
    passed = [network.pass_once(model, units, generator(seed)) for seed in range(4)]
    assert np.mean([one.mean_squares for one in passed]) == pytest.approx(model.square, rel=0.06)
    assert np.mean([one.clipped for one in passed]) / (7 * units) == pytest.approx(2 / 8, abs=0.04)
