"""The laziness index: against other formulas, one layer by hand, and gradients of drawn networks."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.statistics.slopes import log_slope
from dynparam.support.errors import ConfigError
from dynparam.support.randomness import torch_generator
from dynparam.theory.expected_sizes import expected_sizes
from dynparam.theory.laziness import laziness_index, narrowest_layer
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from dynparam.theory.relu_kernels import output_square
from dynparam.theory.widths import Widths, bottleneck, dynamic_ratio
from tests.tolerances import EXACT_ALGEBRA

EXACT = EXACT_ALGEBRA[torch.float64]
NETWORKS = [(64, 1000, 100, 1000, 1), (40, 120, 30, 77, 20, 90, 1), (64, 50, 1), (9, 3, 3, 3, 1)]


@pytest.mark.parametrize("sizes", NETWORKS)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_expected_update_of_a_step_that_moves_the_output_by_one(name, sizes):
    """Through ``expected_sizes``, which is checked against trained networks in its own test."""
    widths, square = Widths(sizes), 37.0
    scales = layer_scales(name, widths)
    theory = mean_field(widths, scales, 1.0, square)
    residual = theory.gradient[-1]
    found = expected_sizes(widths, scales, float(residual / theory.alignment[-1]), square)
    expected = found.update / found.preactivation / np.sqrt(residual)
    np.testing.assert_allclose(laziness_index(widths, scales, square), expected, rtol=EXACT)


def test_one_hidden_layer_by_hand():
    widths, scales = Widths((5, 8, 1)), LayerScales((2.0, 3.0), (0.5, 0.25))
    s_1, s_2, square = 1.0, 0.75, 4.0
    p_1, d_1 = 8 * s_1**2 * square / 2, 8 * s_2**2 / 2
    c_1, c_2 = 2.0**2 * square * d_1, 3.0**2 * p_1
    share = c_1 / (c_1 + c_2)
    first = share / math.sqrt(d_1) / math.sqrt(8 * s_1**2 * square)
    # The output: it moves by one, whatever moves it, and is s_2^2 P_1 in mean square.
    along, across = 1.0, s_2**2 * share**2 / d_1
    last = math.sqrt((along + across) / (s_2**2 * p_1))
    np.testing.assert_allclose(laziness_index(widths, scales, square), [first, last], rtol=EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_layer_is_lazy_as_its_share_over_the_root_of_its_width_and_the_output(name):
    widths, square = Widths((40, 120, 30, 77, 1)), 40.0
    scales = layer_scales(name, widths)
    output = math.sqrt(output_square(widths, scales) * square)
    inverse = np.square(scales.init_std) ** -1.0
    expected = inverse[0] / inverse.sum() / (math.sqrt(120) * output)
    assert laziness_index(widths, scales, square)[0] == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("name", ["ntk", "dynamic", "spectral"])
def test_drawn_networks_move_so_by_their_gradients(name):
    """Directional derivatives along the gradient of f, root mean squares over 60 draws.

    Within four standard errors, and terms of order sum 1/n = 0.03 on top.
    """
    widths = Widths((20, 100, 80, 100, 1))
    scales = layer_scales(name, widths)
    x = torch.full((1, 20), 1.0, dtype=torch.float64)
    seen = []
    for trial in range(60):
        generator = torch_generator(5, "laziness", trial)
        model = MLP(draw_weights(widths, scales, generator, torch.float64), scales.multiplier)
        parameters = list(model.parameters())
        gradients = torch.autograd.grad(model(x).sum(), parameters)
        kernel = sum(float(g.square().sum()) for g in gradients)
        before = [z.detach() for z in model.preactivations(x)]
        small = 1e-6 / kernel
        with torch.no_grad():
            for weight, gradient in zip(parameters, gradients, strict=True):
                weight += small * gradient
        after = [z.detach() for z in model.preactivations(x)]
        moved = [float((b - a).square().mean()) / 1e-12 for a, b in zip(before, after, strict=True)]
        size = [float(a.square().mean()) for a in before]
        seen.append(np.divide(moved, size)[:-1])
    mean, error = np.mean(seen, axis=0), np.std(seen, axis=0, ddof=1) / math.sqrt(60)
    expected = np.square(laziness_index(widths, scales, 20.0)[:-1])
    assert (abs(mean - expected) < 4 * error + 0.15 * expected).all()


@pytest.mark.parametrize(
    ("name", "r", "exponent"),
    [
        ("ntk", Fraction(1, 2), Fraction(-1, 4)),
        ("standard", Fraction(1, 2), Fraction(-1, 4)),
        ("dynamic", Fraction(1, 2), Fraction(0)),
        ("dynamic", Fraction(1, 4), Fraction(-1, 8)),
        ("dynamic", Fraction(0), Fraction(-1, 4)),
        ("mup", Fraction(1, 2), Fraction(1, 4)),
        ("spectral", Fraction(1, 2), Fraction(3, 4)),
    ],
)
def test_exponents_at_a_bottleneck_of_root_n(name, r, exponent):
    """ntk n_min^(-1/2); dynamic n_min^(r - 1/2); mup (n/n_min)^(1/2); spectral n_min^(-1/2)/f_rms with

    f_rms^2 = (n_min/n)^2 / n at two bottlenecks and one output: -1/4 + 1/2 + 1/2.
    """
    rule, grid = dynamic_ratio(4, Fraction(1, 2)), (10**10, 10**12)
    values = [
        laziness_index(widths, layer_scales(name, widths, r), 64.0)[narrowest_layer(widths) - 1]
        for widths in (bottleneck(n, rule.n_min(n), n_in=64, n_out=1) for n in grid)
    ]
    assert float(log_slope(grid, values)) == pytest.approx(float(exponent), abs=1e-3)


def test_a_readout_of_zeros_moves_no_hidden_layer_and_the_output_infinitely_far():
    """In the limit too: the index of the hidden layers falls with the readout."""
    widths = Widths((6, 30, 10, 1))
    ntk = layer_scales("ntk", widths)
    zero = LayerScales(ntk.multiplier, (*ntk.init_std[:-1], 0.0))
    assert laziness_index(widths, zero, 6.0).tolist() == [0.0, 0.0, math.inf]
    small, smaller = (
        laziness_index(widths, LayerScales(ntk.multiplier, (*ntk.init_std[:-1], std)), 6.0)
        for std in (1e-4, 1e-5)
    )
    np.testing.assert_allclose(small[:2] / smaller[:2], 10, rtol=1e-6)
    assert small[2] / smaller[2] == pytest.approx(0.1, rel=1e-6)


def test_the_narrowest_layer_is_the_last_of_them_and_needs_no_bottleneck():
    assert narrowest_layer(Widths((64, 100, 10, 100, 10, 100, 1))) == 4
    assert narrowest_layer(Widths((64, 100, 100, 100, 1))) == 3
    assert narrowest_layer(Widths((64, 10, 100, 1))) == 1
    with pytest.raises(ConfigError, match="at least one hidden layer"):
        narrowest_layer(Widths((64, 1)))


@pytest.mark.parametrize("square", [0.0, -1.0, math.inf, math.nan])
def test_an_input_without_a_size_is_refused(square):
    widths = Widths((6, 30, 1))
    with pytest.raises(ConfigError, match="moves no layer; it must be positive, finite"):
        laziness_index(widths, layer_scales("ntk", widths), square)


def test_networks_without_meaning_are_refused():
    ntk = layer_scales("ntk", Widths((6, 30, 1)))
    for widths in ((6, 1), (6, 30, 20, 1), (6, 0, 1)):
        with pytest.raises(ConfigError):
            laziness_index(widths, ntk, 6.0)
