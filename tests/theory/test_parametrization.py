import math
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynparam.engines.network import MLP, draw_weights
from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import (
    NAMES,
    LayerScales,
    layer_rules,
    layer_scales,
    learning_rate_form,
    scales_of_update,
)
from dynparam.theory.widths import Widths, bottleneck
from tests.drawn_fractions import fractions
from tests.tolerances import EXACT_ALGEBRA, TRAJECTORY

EXACT = EXACT_ALGEBRA[torch.float64]
R2 = math.sqrt(2)
SHAPES = st.lists(st.integers(1, 10**5), min_size=3, max_size=9).map(tuple)
RS = fractions(0, Fraction(1, 2), max_denominator=64)


def approx(values):
    return pytest.approx(values, rel=EXACT, abs=0)


def thesis_row(name, a, b, n_min, r, last):
    """g_l and gamma_l sigma_l of a layer with fan_in a and fan_out b, as a reader would write them."""
    gamma = 1.0 if last else R2
    if name == "ntk":
        g, sigma = 1 / math.sqrt(a), 1.0
    elif name == "mup":
        g, sigma = (1 / math.sqrt(a), 1 / math.sqrt(a)) if last else (math.sqrt(b / a), 1 / math.sqrt(b))
    elif name == "spectral":
        g, sigma = math.sqrt(b / a), 1 / math.sqrt(b) if a <= b else 1 / math.sqrt(a)
    elif name == "dynamic":
        g, sigma = 1 / math.sqrt(a) if last else n_min**r / math.sqrt(a), n_min**-r
    else:
        g, sigma = 1.0, 1 / math.sqrt(a)
    return g, gamma * sigma


def thesis_table(name, sizes, r):
    """The table of g_l and gamma_l sigma_l written out layer by layer."""
    n_min = min(sizes[1:-1])
    rows = [
        thesis_row(name, a, b, n_min, r, layer == len(sizes) - 1)
        for layer, (a, b) in enumerate(pairwise(sizes), start=1)
    ]
    return [g for g, _ in rows], [std for _, std in rows]


@pytest.mark.parametrize("name", NAMES)
@given(sizes=SHAPES, r=RS)
def test_scales_follow_the_table(name, sizes, r):
    scales = layer_scales(name, sizes, r)
    g, std = thesis_table(name, sizes, float(r))
    assert scales.multiplier == approx(g)
    assert scales.init_std == approx(std)


@given(sizes=SHAPES)
def test_the_asymptotic_reading_moves_spectrals_first_sigma_alone(sizes):
    """sigma_1 = n_1^(-1/2) however large n_0 is: what eq. 3.4 says if n_0 is at most n_1."""
    written, read = (layer_scales("spectral", sizes, first_layer=f) for f in ("written", "asymptotic"))
    assert read.multiplier == written.multiplier
    assert read.init_std[1:] == written.init_std[1:]
    assert read.init_std[0] == approx(R2 / math.sqrt(sizes[1]))
    small = layer_scales("spectral", (1, *sizes[1:]))
    assert read.init_std == small.init_std
    assert (read == written) == (sizes[0] <= sizes[1])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "spectral"])
@given(sizes=SHAPES)
def test_the_reading_of_eq_3_4_is_that_of_spectral_alone(name, sizes):
    assert layer_scales(name, sizes, first_layer="asymptotic") == layer_scales(name, sizes)


def test_both_readings_have_the_same_exponents():
    """n_0 is fixed, so that both are one at large n; a readout on the input is the same in both."""
    n_0, n = Fraction(0), Fraction(1)
    for growth in (Fraction(0), Fraction(1, 5), n):
        orders = [
            layer_rules("spectral", 3, first_layer=reading)[0].sigma.order(n_0, n, growth)
            for reading in ("written", "asymptotic")
        ]
        assert orders == [Fraction(-1, 2)] * 2
    assert layer_rules("spectral", 1, first_layer="asymptotic") == layer_rules("spectral", 1)


def test_scales_of_the_training_network_by_hand():
    """3072-10000-500-10000-500-10000-2, dynamic r = 1/2 and spectral, worked out on paper."""
    widths = bottleneck(10_000, 500)
    dynamic = layer_scales("dynamic", widths)
    wide_in, narrow_in = math.sqrt(500 / 10_000), 1.0
    assert dynamic.multiplier == approx(
        [math.sqrt(500 / 3072), wide_in, narrow_in, wide_in, narrow_in, 0.01]
    )
    assert dynamic.init_std == approx([math.sqrt(2 / 500)] * 5 + [1 / math.sqrt(500)])
    spectral = layer_scales("spectral", widths)
    narrowing, widening = math.sqrt(500 / 10_000), math.sqrt(20)
    assert spectral.multiplier == approx(
        [math.sqrt(10_000 / 3072), narrowing, widening, narrowing, widening, math.sqrt(2e-4)]
    )
    assert spectral.init_std == approx([math.sqrt(2e-4)] * 5 + [0.01])


@given(sizes=SHAPES)
def test_dynamic_with_r_zero_is_ntk(sizes):
    assert layer_scales("dynamic", sizes, 0) == layer_scales("ntk", sizes)


@given(n=st.integers(1, 10**5), depth=st.integers(2, 8), ends=st.tuples(SHAPES))
def test_dynamic_with_r_half_is_mup_at_equal_hidden_widths(n, depth, ends):
    sizes = (ends[0][0], *(n,) * (depth - 1), ends[0][1])
    dynamic, mup = layer_scales("dynamic", sizes, Fraction(1, 2)), layer_scales("mup", sizes)
    assert dynamic.multiplier == approx(mup.multiplier)
    assert dynamic.init_std == approx(mup.init_std)


@pytest.mark.parametrize("name", NAMES)
@given(sizes=SHAPES, r=RS)
def test_learning_rate_form(name, sizes, r):
    scales, form = layer_scales(name, sizes, r), learning_rate_form(name, sizes, r)
    assert form.init_std == approx(
        [g * std for g, std in zip(scales.multiplier, scales.init_std, strict=True)]
    )
    assert form.learning_rate_factor == approx([g * g for g in scales.multiplier])
    for k, fan_in in enumerate(sizes[:-1]):
        assert form.bias_init_std[k] == approx(form.init_std[k] * math.sqrt(fan_in))
        assert form.bias_learning_rate_factor[k] == approx(form.learning_rate_factor[k] * fan_in)


def test_learning_rate_form_of_dynamic_is_equations_2_82_to_2_85():
    sizes, r = (3072, 1000, 40, 1000, 2), 0.25
    form = learning_rate_form("dynamic", sizes, r)
    fan_in = sizes[:-1]
    assert form.learning_rate_factor == approx([40 ** (2 * r) / n for n in fan_in[:-1]] + [1e-3])
    assert form.init_std == approx([R2 / math.sqrt(n) for n in fan_in[:-1]] + [40**-r / math.sqrt(1000)])


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_have_the_same_trajectory(name):
    """SGD with momentum in float64: multipliers with one rate, against plain layers with groups."""
    widths = Widths((12, 30, 6, 24, 3))
    r, eta, steps = Fraction(3, 8), 0.02, 50
    scales, form = layer_scales(name, widths, r), learning_rate_form(name, widths, r)
    generator = torch.Generator().manual_seed(1)
    weights = draw_weights(widths, scales, generator, torch.float64)
    network = MLP(weights, scales.multiplier)
    plain = MLP([g * w for g, w in zip(scales.multiplier, weights, strict=True)], (1.0,) * widths.depth)
    one_rate = torch.optim.SGD(network.parameters(), lr=eta, momentum=0.9)
    groups = torch.optim.SGD(
        [
            {"params": [w], "lr": eta * factor}
            for w, factor in zip(plain.weights, form.learning_rate_factor, strict=True)
        ],
        lr=eta,
        momentum=0.9,
    )
    x = torch.randn(steps, 8, 12, generator=generator, dtype=torch.float64)
    y = torch.randn(steps, 8, 3, generator=generator, dtype=torch.float64)
    start = network(x[0]).detach()
    for batch, target in zip(x, y, strict=True):
        for model, optimizer in ((network, one_rate), (plain, groups)):
            optimizer.zero_grad()
            (model(batch) - target).square().sum(1).mean().div(2).backward()
            optimizer.step()
    torch.testing.assert_close(
        plain(x[0]), network(x[0]), rtol=TRAJECTORY[torch.float64], atol=TRAJECTORY[torch.float64]
    )
    assert (network(x[0]) - start).abs().max() > 1e-3, "the trajectory must move to mean anything"


@given(sizes=SHAPES, r=RS)
def test_updates_of_one_size_are_dynamic(sizes, r):
    """||Delta htilde^l|| = n_min^r is dynamic parametrization (eqs. 2.68-2.77)."""
    found = scales_of_update(sizes, min(sizes[1:-1]) ** float(r))
    dynamic = layer_scales("dynamic", sizes, r)
    assert found.multiplier == approx(dynamic.multiplier)
    assert found.init_std == approx(dynamic.init_std)


@given(sizes=SHAPES, update_norm=st.floats(1e-6, 1e6))
def test_signal_does_not_depend_on_the_size_of_updates(sizes, update_norm):
    """It moves between g and sigma in hidden layers; the readout's falls with it (r beyond 1/2 too)."""
    found, ntk = scales_of_update(Widths(sizes), update_norm), layer_scales("ntk", sizes)
    assert found.signal[:-1] == approx(ntk.signal[:-1])
    assert found.signal[-1] == approx(ntk.signal[-1] / update_norm)


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
def test_a_size_of_updates_must_be_positive_and_finite(bad):
    with pytest.raises(
        ConfigError, match=f"the size of updates is {bad}; it must be positive and finite"
    ):
        scales_of_update((4, 3, 2), bad)


def test_updates_of_one_size_need_a_hidden_layer():
    with pytest.raises(ConfigError, match="at least one hidden layer"):
        scales_of_update((4, 2), 1.0)
    with pytest.raises(ConfigError, match="at least 1"):
        scales_of_update((4, 0, 2), 1.0)


def test_scales_are_frozen_tuples():
    scales = layer_scales("dynamic", (4, 3, 2))
    assert isinstance(scales, LayerScales)
    assert isinstance(scales.multiplier, tuple)
    with pytest.raises(AttributeError):
        scales.multiplier = (1.0, 1.0)  # type: ignore[misc]


def test_unknown_parametrization():
    with pytest.raises(ConfigError, match=r"unknown parametrization 'sp'; choose one of ntk, mup"):
        layer_scales("sp", (4, 3, 2))


@pytest.mark.parametrize("r", [-0.01, 0.51, 2, float("nan")])
def test_r_outside_its_range(r):
    with pytest.raises(ConfigError, match=r"outside \[0, 1/2\]"):
        layer_scales("dynamic", (4, 3, 2), r)


def test_bad_widths_and_no_hidden_layer():
    with pytest.raises(ConfigError, match="at least 1"):
        layer_scales("ntk", (4, 0, 2))
    with pytest.raises(ConfigError, match="hidden layer"):
        layer_scales("ntk", (4, 2))
