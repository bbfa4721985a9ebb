import pytest
import torch

from dynparam.engines.network import (
    MLP,
    DenseMap,
    backward,
    draw_weights,
    forward,
    second_gradient,
    sgd_step,
)
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths
from tests.tolerances import ONE_STEP

WIDTHS = Widths((20, 50, 9, 40, 11, 30, 2))


def network(name, widths, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scales = layer_scales(name, widths)
    weights = draw_weights(widths, scales, generator, dtype)
    x = torch.randn(widths.sizes[0], generator=generator, dtype=dtype)
    y = torch.eye(widths.sizes[-1], dtype=dtype)[0]
    return weights, scales, x, y


def autograd_step(weights, scales, x, y, learning_rate):
    """Preactivations, their gradients and their changes by autograd and a real optimizer step."""
    model = MLP(weights, scales.multiplier)
    before = model.preactivations(x[None])
    for preactivation in before:
        preactivation.retain_grad()
    (before[-1][0] - y).square().sum().div(2).backward()
    torch.optim.SGD(model.parameters(), lr=learning_rate).step()
    with torch.no_grad():
        after = model.preactivations(x[None])
    return (
        [p.detach()[0] for p in before],
        [p.grad[0] for p in before],
        [(b - a.detach())[0] for a, b in zip(before, after, strict=True)],
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("learning_rate", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_step_is_what_autograd_and_sgd_do(name, learning_rate, dtype):
    weights, scales, x, y = network(name, WIDTHS, dtype)
    step = sgd_step([DenseMap(w) for w in weights], scales, x, y, learning_rate)
    references = autograd_step(weights, scales, x, y, learning_rate)
    for found, expected in zip(
        (step.preactivation, step.gradient, step.update), references, strict=True
    ):
        for ours, theirs in zip(found, expected, strict=True):
            scale = theirs.abs().max()
            torch.testing.assert_close(
                ours / scale, theirs / scale, rtol=ONE_STEP[dtype], atol=ONE_STEP[dtype]
            )


@pytest.mark.parametrize("learning_rate", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_own_parts_are_what_each_layers_gradient_does_alone(name, learning_rate):
    """G_l Delta W^l h^{l-1} from the weights' gradients by autograd, every layer."""
    weights, scales, x, y = network(name, WIDTHS, torch.float64)
    step = sgd_step([DenseMap(w) for w in weights], scales, x, y, learning_rate)
    model = MLP(weights, scales.multiplier)
    before = model.preactivations(x[None])
    (before[-1][0] - y).square().sum().div(2).backward()
    inputs = [x, *(z.detach()[0].relu() for z in before[:-1])]
    for found, g, w, h in zip(step.own, scales.multiplier, model.weights, inputs, strict=True):
        torch.testing.assert_close(found, -learning_rate * g * w.grad @ h, rtol=1e-9, atol=0)
    assert torch.equal(step.own[0], step.update[0]), "nothing reaches the first layer from below"


@pytest.mark.parametrize("learning_rate", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_second_gradients_are_autograds_after_the_optimizers_step(name, learning_rate):
    weights, scales, x, y = network(name, WIDTHS, torch.float64)
    maps = [DenseMap(w) for w in weights]
    found = second_gradient(maps, scales, sgd_step(maps, scales, x, y, learning_rate), learning_rate)
    model = MLP(weights, scales.multiplier)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    for _ in range(2):
        optimizer.zero_grad()
        seen = model.preactivations(x[None])
        for preactivation in seen:
            preactivation.retain_grad()
        (seen[-1][0] - y).square().sum().div(2).backward()
        optimizer.step()
    for ours, theirs in zip(found, seen, strict=True):
        scale = theirs.grad[0].abs().max()
        torch.testing.assert_close(ours / scale, theirs.grad[0] / scale, rtol=1e-9, atol=1e-9)


def test_a_single_layer_learns_its_own_gradient():
    """L = 1 by hand: f = g W x, Delta f = -eta g^2 ||x||^2 (f - y)."""
    w = torch.tensor([[1.0, 2.0], [0.0, -1.0]], dtype=torch.float64)
    x = torch.tensor([1.0, 1.0], dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    scales = layer_scales("standard", (2, 1, 2))
    one = type(scales)(multiplier=(0.5,), init_std=(1.0,))
    step = sgd_step([DenseMap(w)], one, x, y, 0.1)
    assert step.preactivation[0].tolist() == [1.5, -0.5]
    assert step.gradient[0].tolist() == [0.5, -0.5]
    assert step.update[0].tolist() == pytest.approx([-0.1 * 0.25 * 2 * 0.5, 0.1 * 0.25 * 2 * 0.5])


def test_silent_units_pass_no_gradient():
    weights, scales, x, y = network("mup", WIDTHS, torch.float64)
    maps = [DenseMap(w) for w in weights]
    preactivation = forward(maps, scales, x)
    gradient = backward(maps, scales, preactivation, y)
    for h, g in zip(preactivation[:-1], gradient[:-1], strict=True):
        assert (g[h <= 0] == 0).all()
        assert (g[h > 0] != 0).all()


def test_a_silent_network_stays_silent():
    """All units of layer 1 off: no gradient reaches it and only the readout's own term is left."""
    weights, scales, x, y = network("ntk", Widths((4, 3, 5, 2)), torch.float64)
    weights[0] = -weights[0].abs()
    step = sgd_step([DenseMap(w) for w in weights], scales, x.abs(), y, 0.1)
    assert all((update == 0).all() for update in step.update)


def test_draw_weights_have_the_stated_standard_deviation():
    """Standard deviations over 2000 or more draws, within five standard errors (error 6e-7 each)."""
    widths = Widths((40, 50, 60, 70))
    scales = layer_scales("dynamic", widths, 0.25)
    for w, std in zip(
        draw_weights(widths, scales, torch.Generator().manual_seed(3), torch.float64),
        scales.init_std,
        strict=True,
    ):
        assert w.std().item() == pytest.approx(std, rel=5 / (2 * w.numel()) ** 0.5)
        assert abs(w.mean().item()) < 5 * std / w.numel() ** 0.5
