"""Gradient descent on a whole batch: against autograd, and how it ends."""

import math

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.lazy_or_rich import descent
from dynparam.experiments.lazy_or_rich.tables import KERNEL_CHANGE
from dynparam.support.randomness import torch_generator
from dynparam.theory.linearization import linearized, spectrum
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from tests.tolerances import TRAJECTORY

SIZES = (7, 30, 12, 30, 1)


def start(name="ntk", sizes=SIZES, samples=5, seed=0):
    widths = Widths(sizes)
    scales = layer_scales(name, widths)
    generator = torch_generator(seed, "descent")
    images = torch.randn(samples, sizes[0], dtype=torch.float64, generator=generator)
    residual = torch.randn(samples, dtype=torch.float64, generator=generator)
    weights = draw_weights(widths, scales, generator, torch.float64)
    return descent.Start(weights, scales.multiplier, images, residual)


def by_autograd(begun, rate, steps):
    """Weights of plain SGD on the loss (1/2T) sum (f - f_0 - y)^2, written out."""
    model = MLP(begun.weights, begun.multiplier)
    target = model(begun.images)[:, 0].detach() + begun.residual
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(begun.images)[:, 0] - target).square().sum() / (2 * len(target))).backward()
        optimizer.step()
    miss = model(begun.images)[:, 0].detach() - target
    loss = float(miss.square().sum() / begun.residual.square().sum())
    return [weight.detach() for weight in model.weights], loss


@pytest.mark.parametrize("name", ["ntk", "dynamic", "spectral"])
def test_steps_are_those_of_autograd(name):
    begun = start(name)
    rate = 0.5 * 5 / spectrum(begun.kernel()).largest
    kept = [weight.clone() for weight in begun.weights]
    found = descent.descend(begun, rate, 30)
    expected, loss = by_autograd(begun, rate, 30)
    for a, b in zip(found.weights, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=TRAJECTORY[torch.float64])
    assert found.loss == pytest.approx(loss, rel=1e-8)
    assert (found.steps, found.outcome) == (30, "stopped")
    assert all(torch.equal(a, b) for a, b in zip(begun.weights, kept, strict=True))


def test_the_kernel_is_that_of_gradients():
    begun = start()
    model = MLP(begun.weights, begun.multiplier)
    rows = []
    for image in begun.images:
        gradients = torch.autograd.grad(model(image[None]).sum(), list(model.parameters()))
        rows.append(torch.cat([one.ravel() for one in gradients]))
    jacobian = torch.stack(rows)
    np.testing.assert_allclose(begun.kernel(), (jacobian @ jacobian.T).numpy(), rtol=1e-10)
    cross = descent.kernel_of(begun.weights, begun.multiplier, begun.images[:2], begun.images)
    np.testing.assert_allclose(cross, (jacobian[:2] @ jacobian.T).numpy(), rtol=1e-10)


def test_a_network_that_is_linear_in_its_weights_trains_as_its_linearization():
    """A readout that barely moves its features: all of the kernel is the readout's own.

    The multiplier of the hidden layer is tiny and its weights large, so that its part is a millionth.
    """
    begun = start(sizes=(7, 40, 1))
    small = descent.Start(
        [begun.weights[0] * 1e6, begun.weights[1]],
        (begun.multiplier[0] * 1e-6, begun.multiplier[1]),
        begun.images,
        begun.residual,
    )
    kernel = spectrum(small.kernel())
    rate = 0.7 * 5 / kernel.largest
    for steps in (1, 3, 40):
        end = descent.descend(small, rate, steps)
        before, after = (
            descent.outputs(weights, small.multiplier, small.images)
            for weights in (small.weights, end.weights)
        )
        line = linearized(kernel, small.kernel(), small.residual.numpy(), rate, steps)
        np.testing.assert_allclose((after - before).numpy(), line, atol=1e-9)


def test_it_ends_where_the_loss_is_reached_or_at_the_last_step():
    begun = start()
    rate = 0.5 * 5 / spectrum(begun.kernel()).largest
    end = descent.descend(begun, rate, 1000, until=0.5)
    assert end.outcome == "reached"
    assert end.loss <= 0.5
    before = descent.descend(begun, rate, end.steps - 1, until=0.5)
    assert (before.outcome, before.steps) == ("stopped", end.steps - 1)
    assert before.loss > 0.5
    none = descent.descend(begun, rate, 0)
    assert (none.loss, none.outcome) == (1.0, "stopped")


def test_a_descent_that_runs_away_ends_beyond_a_thousand_times_the_loss():
    begun = start()
    rate = 40 * 5 / spectrum(begun.kernel()).largest
    end = descent.descend(begun, rate, 1000)
    assert end.outcome == "diverged"
    assert not end.loss <= descent.BLOWN_UP
    assert end.steps < 1000
    huge = descent.descend(begun, 1e200, 1000)
    assert huge.outcome == "diverged"
    assert not math.isfinite(huge.loss)


def test_a_singular_kernel_is_told(capsys):
    begun = start()
    images = begun.images.clone()
    images[1] = images[0]
    twice = descent.Start(begun.weights, begun.multiplier, images, begun.residual)
    assert descent.checked_spectrum(begun.kernel(), "here").rank == 5
    assert capsys.readouterr().err == ""
    assert descent.checked_spectrum(twice.kernel(), "here").rank == 4
    told = capsys.readouterr().err
    assert told.startswith("here: the kernel of 5 inputs has the rank 4")
    assert "Moore and Penrose" in told


def test_the_change_is_frobenius_over_frobenius():
    before = np.array([[3.0, 0.0], [0.0, 4.0]])
    assert descent.change(before, before) == 0
    assert descent.change(before, before + np.array([[0.0, 6.0], [8.0, 0.0]])) == pytest.approx(2.0)


def test_outcomes_are_those_of_the_table():
    assert KERNEL_CHANGE.columns["outcome"] == descent.OUTCOMES


@pytest.mark.parametrize(("steps", "loss", "outcome"), [(1, 121.0, "stopped"), (2, 14641.0, "diverged")])
def test_a_loss_that_grows_a_hundredfold_has_not_diverged(steps, loss, outcome):
    """One input, twice, and a kernel that stays: at c = 12 each step multiplies the miss by 1 - 12."""
    begun = start(sizes=(7, 40, 1), samples=1)
    small = descent.Start(
        [begun.weights[0] * 1e6, begun.weights[1]],
        (begun.multiplier[0] * 1e-6, begun.multiplier[1]),
        begun.images.repeat(2, 1),
        begun.residual.repeat(2),
    )
    end = descent.descend(small, 12 * 2 / spectrum(small.kernel()).largest, steps)
    assert end.loss == pytest.approx(loss, rel=1e-6)
    assert (end.steps, end.outcome) == (steps, outcome)
