"""Dynamic is ntk with a factor at the output: kernels draw by draw, trajectories step by step."""

import numpy as np
import pytest
import torch

from dynparam.engines import empirical_ntk
from dynparam.engines.network import draw_weights
from dynparam.support.errors import ConfigError
from dynparam.theory import kernels
from dynparam.theory.inner_products import inner_products
from dynparam.theory.output_scale import output_scale
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from tests.tolerances import SAME_TRAJECTORY

NETWORKS = [(9, 40, 10, 30, 12, 40, 2), (9, 6, 1), (9, 7, 30, 4, 3), (9, 25, 25, 25, 1)]
R = [0.0, 0.2, 1 / 3, 0.5]
IMAGES = torch.randn(6, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def drawn(name, widths, r):
    """The same normal numbers for every parametrization."""
    scales = layer_scales(name, widths, r)
    random = torch.Generator().manual_seed(3)
    return draw_weights(Widths(widths), scales, random, torch.float64), scales.multiplier


def assert_same(found, expected):
    assert (found - expected).abs().max() < SAME_TRAJECTORY * expected.abs().max()


@pytest.mark.parametrize("r", R)
@pytest.mark.parametrize("widths", NETWORKS)
def test_the_kernel_does_not_depend_on_r_draw_by_draw(widths, r):
    ours = empirical_ntk.layer_kernels(*drawn("dynamic", widths, r), IMAGES)
    theirs = empirical_ntk.layer_kernels(*drawn("ntk", widths, r), IMAGES)
    for found, expected in zip(ours, theirs, strict=True):
        assert_same(found, expected)


@pytest.mark.parametrize("activation", [torch.tanh, torch.nn.functional.gelu])
def test_nor_with_another_activation(activation):
    ours, theirs = (
        empirical_ntk.ntk(*drawn(name, NETWORKS[0], 0.4), IMAGES, activation=activation)
        for name in ("dynamic", "ntk")
    )
    assert_same(ours, theirs)


@pytest.mark.parametrize("r", R)
@pytest.mark.parametrize("widths", NETWORKS)
def test_nor_does_the_wide_kernel(widths, r):
    inner = inner_products(IMAGES.numpy())
    ours, theirs = (
        kernels.layer_kernels(inner, widths, layer_scales(name, widths, r))
        for name in ("dynamic", "ntk")
    )
    assert np.abs(ours - theirs).max() < SAME_TRAJECTORY * np.abs(theirs).max()


@pytest.mark.parametrize("name", ["mup", "spectral", "standard"])
def test_other_parametrizations_have_other_kernels(name):
    """Negative control."""
    ours = empirical_ntk.ntk(*drawn(name, NETWORKS[0], 0.5), IMAGES)
    theirs = empirical_ntk.ntk(*drawn("ntk", NETWORKS[0], 0.5), IMAGES)
    assert (ours - theirs).abs().max() > 0.1 * theirs.abs().max()


def outputs(weights, multiplier, activation, factor, images):
    h = images
    for layer, (weight, g) in enumerate(zip(weights, multiplier, strict=True), start=1):
        h = g * (h @ weight.T)
        h = activation(h) if layer < len(weights) else h
    return factor * h


def train(weights, multiplier, rate, momentum, activation=torch.relu, factor=1.0):
    """Outputs on all images before each of 40 steps, each on a batch of two, by torch's SGD."""
    parameters = [weight.clone().requires_grad_() for weight in weights]
    optimizer = torch.optim.SGD(parameters, lr=rate, momentum=momentum)
    targets = torch.randn(
        6, weights[-1].shape[0], dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    found = []
    for step in range(40):
        batch = [(2 * step) % 6, (2 * step + 1) % 6]
        found.append(outputs(parameters, multiplier, activation, factor, IMAGES).detach())
        error = outputs(parameters, multiplier, activation, factor, IMAGES[batch]) - targets[batch]
        optimizer.zero_grad()
        (error.square().sum() / 4).backward()
        optimizer.step()
    return torch.stack(found), [one.detach() for one in parameters]


@pytest.mark.parametrize("activation", [torch.relu, torch.tanh])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("r", [0.2, 0.5])
@pytest.mark.parametrize("widths", NETWORKS)
def test_the_factor_and_its_learning_rate_make_the_same_trajectory(widths, r, momentum, activation):
    rate, scale = 0.02, output_scale(widths, r)
    found, weights = train(*drawn("dynamic", widths, r), rate, momentum, activation)
    expected, theirs = train(
        *drawn("ntk", widths, r),
        rate * scale.learning_rate_factor,
        momentum,
        activation,
        scale.factor,
    )
    assert_same(found, expected)
    for ours, other in zip(weights, theirs, strict=True):
        assert_same(ours, scale.factor * other)
    assert (found[-1] - found[0]).abs().max() > 0.01 * found.abs().max(), "training must move"


@pytest.mark.parametrize("wrong", ["learning rate", "factor"])
def test_either_alone_makes_another(wrong):
    """Negative control."""
    widths, scale = NETWORKS[0], output_scale(NETWORKS[0], 0.5)
    found, _ = train(*drawn("dynamic", widths, 0.5), 0.02, 0.9)
    rate = 0.02 if wrong == "learning rate" else 0.02 * scale.learning_rate_factor
    factor = 1.0 if wrong == "factor" else scale.factor
    other, _ = train(*drawn("ntk", widths, 0.5), rate, 0.9, factor=factor)
    gap = (found - other).abs().max()
    assert not gap < 0.01 * found.abs().max()


@pytest.mark.parametrize("r", R)
@pytest.mark.parametrize("widths", NETWORKS)
def test_it_is_a_power_of_the_narrowest_layer(widths, r):
    found = output_scale(widths, r)
    assert found.factor == pytest.approx(min(widths[1:-1]) ** -r, rel=1e-14)
    assert found.learning_rate_factor * found.factor**2 == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize(
    ("widths", "r", "words"),
    [
        ((9, 6, 1), 0.51, r"r = 0.51 is outside \[0, 1/2\]"),
        ((9, 6, 1), -0.01, "is outside"),
        ((9, 6, 1), float("nan"), "is outside"),
        ((9, 1), 0.5, "at least one hidden layer"),
        ((9, 2.5, 1), 0.5, "every width must be an integer"),
    ],
)
def test_bad_networks_are_refused(widths, r, words):
    with pytest.raises(ConfigError, match=words):
        output_scale(widths, r)
