"""``apply``: a parametrization in one's own model, in the learning-rate form."""

import inspect
import math
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import FrozenInstanceError
from fractions import Fraction
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d, linear

import dynparam
from dynparam.engines.network import MLP, draw_weights
from dynparam.models import apply
from dynparam.models import layers as model_layers
from dynparam.models.apply import COLUMNS
from dynparam.support.errors import ConfigError, ModelError
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths
from tests.drawn_fractions import fractions
from tests.models.test_layers import assert_same, snapshot
from tests.own_models import CNN_ORDER, RESIDUAL_ORDER, BottleneckCNN, ResidualMLP, chain
from tests.theory.test_parametrization import thesis_row
from tests.tolerances import EXACT_ALGEBRA, TRAJECTORY

F64 = torch.float64
EXACT = EXACT_ALGEBRA[F64]
SAME = TRAJECTORY[F64]
SIZES = (12, 20, 6, 20, 3)
X = torch.randn(8, 12, dtype=F64, generator=torch.Generator().manual_seed(0))
Y = torch.randn(8, 3, dtype=F64, generator=torch.Generator().manual_seed(1))
LEARNING_RATES = {"ntk": 0.2, "mup": 0.1, "spectral": 0.2, "dynamic": 0.1, "standard": 0.01}
SLOPE = 0.15
"""Tolerance of a slope of log means over widths from 36 to 576, whose standard error is at most 0.05."""


def approx(values):
    return pytest.approx(values, rel=EXACT, abs=0)


# The front door.


def test_importing_the_package_imports_nothing():
    code = (
        "import sys, dynparam; "
        "assert not any(m.startswith(('dynparam.', 'torch', 'numpy', 'pandas')) for m in sys.modules); "
        "assert callable(dynparam.apply) and 'apply' in dynparam.__all__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'aply'"):
        _ = dynparam.aply


# The same trajectory as with multipliers.


def trained(model, groups, x, y, *, steps=10, schedule=lambda step: 1.0, **sgd):
    """Outputs (steps + 1, batch, n_L) at every step of SGD on the mean of 1/2 ||f - y||^2."""
    optimizer = torch.optim.SGD(groups, **sgd)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    outputs = []
    for _ in range(steps + 1):
        output = model(x)
        outputs.append(output.detach())
        optimizer.zero_grad()
        (0.5 * (output - y).square().sum(1)).mean().backward()
        optimizer.step()
        scheduler.step()
    return torch.stack(outputs)


def gap(first, second):
    """The largest difference relative to the largest value."""
    return float((first - second).abs().max() / second.abs().max())


def library_run(name, r, seed, **protocol):
    """The library's own MLP with multipliers, all layers at one learning rate."""
    scales = layer_scales(name, SIZES, r)
    weights = draw_weights(Widths(SIZES), scales, torch.Generator().manual_seed(seed), F64)
    model = MLP(weights, scales.multiplier)
    return trained(
        model, [{"params": list(model.parameters()), "lr": LEARNING_RATES[name]}], X, Y, **protocol
    )


def own_run(name, r, seed, *, error=1.0, **protocol):
    """The plain torch model after ``apply``; ``error`` falsifies one learning rate."""
    model = chain(SIZES)
    applied = dynparam.apply(
        model, name, learning_rate=LEARNING_RATES[name], r=r, sample_input=X, seed=seed
    )
    groups = applied.parameter_groups
    groups[1]["lr"] *= error
    return trained(model, groups, X, Y, **protocol)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("name", NAMES)
def test_trajectories_are_those_of_the_librarys_mlp(name, momentum):
    expected = library_run(name, Fraction(1, 3), 5, momentum=momentum)
    assert gap(expected[-1], expected[0]) > 0.1  # something was learnt
    assert gap(own_run(name, Fraction(1, 3), 5, momentum=momentum), expected) < SAME


def test_schedules_and_nesterov_scale_all_layers_alike():
    protocol = {"momentum": 0.9, "nesterov": True, "schedule": lambda step: 0.8**step}
    assert gap(own_run("dynamic", 0.5, 0, **protocol), library_run("dynamic", 0.5, 0, **protocol)) < SAME


@pytest.mark.parametrize("wrong", [False, True])
def test_weight_decay_needs_a_number_per_group(wrong):
    """On V = g W the penalty lambda / 2 ||W||^2 is lambda / g^2; lambda itself is another trajectory."""
    decay, model = 0.3, chain(SIZES)
    applied = dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=X)
    groups = applied.parameter_groups
    for group in groups:
        group["weight_decay"] = decay if wrong else decay * applied.learning_rate / group["lr"]
    expected = library_run("dynamic", 0.5, 0, momentum=0.9, weight_decay=decay)
    assert (gap(trained(model, groups, X, Y, momentum=0.9), expected) < SAME) != wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_learning_rate_shows(name):
    """One layer's learning rate off by one percent: what the comparison above would see."""
    wrong = own_run(name, Fraction(1, 3), 5, momentum=0.9, error=1.01)
    assert gap(wrong, library_run(name, Fraction(1, 3), 5, momentum=0.9)) > 1e3 * SAME


class WithMultipliers(nn.Module):
    """htilde^l = g_l [W^l h^{l-1} + sqrt(n_{l-1}) b^l] (eq. 2.2), convolutions first, from V = g W."""

    def __init__(self, layers, multipliers):
        super().__init__()
        self.multipliers = multipliers
        self.fan_ins = [layer.weight[0].numel() for layer in layers]
        self.weights = nn.ParameterList(
            layer.weight.detach() / g for layer, g in zip(layers, multipliers, strict=True)
        )
        self.biases = nn.ParameterList(
            layer.bias.detach() / (g * n**0.5)
            for layer, g, n in zip(layers, multipliers, self.fan_ins, strict=True)
        )

    def forward(self, x):
        parts = list(zip(self.multipliers, self.fan_ins, self.weights, self.biases, strict=True))
        for depth, (g, n, w, b) in enumerate(parts):
            if w.ndim == 2 and x.ndim == 4:
                x = x.mean((2, 3))
            product = linear(x, w) if w.ndim == 2 else conv2d(x, w, padding=w.shape[-1] // 2)
            bias = b if w.ndim == 2 else b[:, None, None]
            x = g * (product + n**0.5 * bias)
            x = x.relu() if depth < len(parts) - 1 else x
        return x


def zero_padded_cnn():
    return nn.Sequential(
        nn.Conv2d(3, 10, 1),
        nn.ReLU(),
        nn.Conv2d(10, 4, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    ).double()


BIASED = {
    "mlp": (lambda: chain(SIZES, bias=True), X, Y, list(pairwise(SIZES))),
    "cnn": (zero_padded_cnn, X.reshape(2, 3, 4, 4), Y[:2, :2], [(3, 10), (90, 4), (4, 2)]),
}


@pytest.mark.parametrize("kind", BIASED)
@pytest.mark.parametrize("name", NAMES)
def test_trajectories_with_biases_are_those_of_equation_2_2(name, kind):
    make, x, y, shapes = BIASED[kind]
    model = make()
    eta = 0.1 * LEARNING_RATES[name]
    applied = dynparam.apply(model, name, learning_rate=eta, r=0.5, sample_input=x)
    g, _ = table_of_shapes(name, shapes, 0.5)
    reference = WithMultipliers([layer.module for layer in applied.layers], g)
    expected = trained(
        reference, [{"params": list(reference.parameters()), "lr": eta}], x, y, momentum=0.9
    )
    assert gap(expected[-1], expected[0]) > 1e-2
    assert gap(trained(model, applied.parameter_groups, x, y, momentum=0.9), expected) < SAME


# What is set: exact values, and how they follow the widths.


def table_of_shapes(name, shapes, r):
    """g_l and gamma_l sigma_l by the thesis's table for layers (fan_in, fan_out) that need not chain."""
    n_min = min(fan_out for _, fan_out in shapes[:-1])
    last = len(shapes) - 1
    rows = [thesis_row(name, *shape, n_min, r, depth == last) for depth, shape in enumerate(shapes)]
    return [g for g, _ in rows], [std for _, std in rows]


LAYERS = st.tuples(
    st.integers(1, 8), st.integers(1, 8), st.integers(1, 3), st.integers(1, 3), st.booleans()
)


def drawn_model(specs, n_out):
    """Convolutions (channels in, out, kernel, groups) that need not fit, and a readout."""
    modules = [
        nn.Conv2d(a * groups, b * groups, kernel, groups=groups, bias=bias)
        for a, b, kernel, groups, bias in specs
    ]
    return nn.Sequential(*modules, nn.Linear(specs[-1][1], n_out))


@pytest.mark.parametrize("name", NAMES)
@given(
    specs=st.lists(LAYERS, min_size=1, max_size=4),
    n_out=st.integers(1, 5),
    r=st.fractions(0, Fraction(1, 2)),
)
@settings(max_examples=25, deadline=None)
def test_values_follow_the_table_for_any_shapes(name, specs, n_out, r):
    model = drawn_model(specs, n_out)
    applied = dynparam.apply(
        model,
        name,
        learning_rate=0.3,
        r=r,
        layers=[str(i) for i in range(len(model))],
        zero_biases=False,
    )
    shapes = [(a * kernel**2, b * groups) for a, b, kernel, groups, _ in specs]
    shapes.append((specs[-1][1], n_out))
    g, std = table_of_shapes(name, shapes, float(r))
    for setting in applied.settings:
        index = int(setting.layer)
        factor = g[index] * (math.sqrt(shapes[index][0]) if setting.parameter == "bias" else 1)
        assert (setting.fan_in, setting.fan_out) == shapes[index]
        assert setting.init_std == approx(factor * std[index])
        assert setting.learning_rate == approx(0.3 * factor**2)


@given(factor=st.integers(2, 5), r=fractions(0, Fraction(1, 2), max_denominator=8))
@settings(max_examples=20, deadline=None)
def test_n_min_scales_the_hidden_layers_alone(factor, r):
    """Under dynamic a larger n_min means larger hidden steps, n_min^{2r}, and the same hidden values."""
    first, second = (
        dynparam.apply(
            chain(SIZES, bias=True), "dynamic", learning_rate=0.1, r=r, sample_input=X, n_min=n
        )
        for n in (6, 6 * factor)
    )
    for a, b in zip(first.settings, second.settings, strict=True):
        power = 2 * r if a.role == "hidden" else 0
        assert b.learning_rate == approx(a.learning_rate * factor ** float(power))
        assert b.init_std == approx(a.init_std * factor ** (0.0 if a.role == "hidden" else -float(r)))
    assert (first.n_min, second.n_min) == (6, 6 * factor)


@pytest.mark.parametrize("name", ["ntk", "mup", "spectral", "standard"])
def test_n_min_means_nothing_to_the_others(name):
    first, second = (
        dynparam.apply(chain(SIZES), name, learning_rate=0.1, sample_input=X, n_min=n)
        for n in (None, 99)
    )
    assert first.settings == second.settings


def test_drawn_values_have_the_stated_deviation():
    """Of 10^4 normal numbers and more; a sample's deviation is off by 5 standard errors once in 10^6."""
    model = chain((100, 200, 100, 200), bias=False)
    applied = dynparam.apply(model, "dynamic", learning_rate=0.1, layers=["0", "2", "4"])
    for setting in applied.settings:
        count = setting.tensor.numel()
        assert abs(float(setting.tensor.detach().std()) / setting.init_std - 1) < 5 / math.sqrt(
            2 * count
        )


# Options.


def stds(applied):
    return {setting.name: setting.init_std for setting in applied.settings}


def test_the_gain_is_that_of_hidden_layers_or_as_named():
    def applied(gain):
        return stds(dynparam.apply(chain(SIZES), "mup", learning_rate=0.1, sample_input=X, gain=gain))

    relu, tanh = applied(math.sqrt(2)), applied(5 / 3)
    named = applied({"2": 1.0, "6": 0.5})
    for name in ("0.weight", "2.weight", "4.weight"):
        assert tanh[name] == approx(relu[name] * 5 / 3 / math.sqrt(2))
    assert tanh["6.weight"] == relu["6.weight"]
    assert named["2.weight"] == approx(relu["2.weight"] / math.sqrt(2))
    assert named["6.weight"] == approx(relu["6.weight"] / 2)
    assert named["0.weight"] == relu["0.weight"]


def test_biases_start_at_zero_unless_they_are_to_be_drawn_and_learn_the_same():
    models = chain(SIZES, bias=True), chain(SIZES, bias=True)
    drawn, zero = (
        dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=X, **option)
        for model, option in zip(models, ({"zero_biases": False}, {}), strict=True)
    )
    assert all(models[0][i].bias.all() for i in (0, 2, 4, 6))
    assert not any(models[1][i].bias.any() for i in (0, 2, 4, 6))
    assert all(torch.equal(models[0][i].weight, models[1][i].weight) for i in (0, 2, 4, 6))
    assert list(drawn.table.learning_rate) == list(zero.table.learning_rate)


def test_biases_that_apply_does_not_draw_stay_as_they_are():
    """Those of a normalization, of a layer that is listed as unchanged, and of a frozen one."""
    model = ResidualMLP()
    model.down[1].requires_grad_(False)
    with torch.no_grad():
        for module in (model.norm, model.up[0], model.down[1], model.stem):
            module.bias.fill_(1)
    applied = dynparam.apply(
        model,
        "dynamic",
        learning_rate=0.1,
        sample_input=torch.zeros(1, 6),
        unchanged=["up.0"],
    )
    assert all((module.bias == 1).all() for module in (model.norm, model.up[0], model.down[1]))
    assert not model.stem.bias.any()
    roles = {setting.name: setting.role for setting in applied.settings}
    names = ("norm.bias", "up.0.bias", "down.1.bias", "stem.bias")
    assert [roles[name] for name in names] == ["unchanged", "unchanged", "frozen", "hidden"]


def test_weights_do_not_depend_on_biases():
    plain, biased = chain(SIZES), chain(SIZES, bias=True)
    for model in (plain, biased):
        dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=X)
    assert all(torch.equal(plain[i].weight, biased[i].weight) for i in (0, 2, 4, 6))


def test_frozen_and_unchanged_parameters_keep_their_values():
    model = ResidualMLP()
    model.stem.requires_grad_(False)
    model.norm.bias.requires_grad_(False)
    before = {name: p.clone() for name, p in model.named_parameters()}
    applied = dynparam.apply(
        model,
        "dynamic",
        learning_rate=0.1,
        sample_input=torch.zeros(1, 6),
        unchanged=["up.0", "up.1.bias"],
    )
    roles = {setting.name: setting.role for setting in applied.settings}
    assert set(roles) == set(before)
    kept = {name for name, p in model.named_parameters() if torch.equal(p, before[name])}
    frozen = {"stem.weight", "stem.bias", "norm.bias"}
    unchanged = {"norm.weight", "up.0.weight", "up.0.bias", "up.1.bias"}
    assert {name for name, role in roles.items() if role == "frozen"} == frozen
    assert {name for name, role in roles.items() if role == "unchanged"} == unchanged
    assert kept == frozen | unchanged
    rates = {group["name"]: group["lr"] for group in applied.parameter_groups}
    assert set(rates) == set(before) - frozen
    assert {rates[name] for name in unchanged} == {0.1}


def test_half_precision_holds_the_rounded_numbers_of_single():
    models = chain(SIZES, dtype=torch.float32), chain(SIZES, dtype=torch.bfloat16)
    for model in models:
        dynparam.apply(model, "dynamic", learning_rate=0.1, layers=["0", "2", "4", "6"])
    for single, half in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(single.to(torch.bfloat16), half)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_on_the_gpu_gets_the_same_numbers():
    models = BottleneckCNN(), BottleneckCNN().cuda()
    random = torch.cuda.get_rng_state()
    for model in models:
        x = torch.zeros(1, 3, 4, 4, device=next(model.parameters()).device)
        applied = dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=x)
    assert torch.equal(random, torch.cuda.get_rng_state())
    for first, second in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(first, second.cpu())
    assert all(group["params"][0].is_cuda for group in applied.parameter_groups)


# Pure, explicit, repeatable.


def test_a_second_call_sets_the_same_again():
    model = ResidualMLP()
    x = torch.randn(4, 6)

    def applied(seed):
        return dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=x, seed=seed)

    first, weights = applied(3), [p.clone() for p in model.parameters()]
    optimizer = torch.optim.SGD(first.parameter_groups, lr=0.1, momentum=0.9)
    model(x).square().sum().backward()
    optimizer.step()
    second = applied(3)
    assert first == second
    # The LayerNorm's parameters are unchanged by design: they keep what training made of them.
    names = [name for name, _ in model.named_parameters()]
    again = dict(zip(names, model.parameters(), strict=True))
    for name, weight in zip(names, weights, strict=True):
        assert torch.equal(weight, again[name]) == (not name.startswith("norm")), name
    applied(4)
    assert not torch.equal(weights[0], model.head.weight)


def test_only_values_of_layers_change():
    """Same objects, flags, hooks, attributes, gradients, buffers and random state; values differ."""
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(), nn.ReLU(), nn.Linear(6, 2))
    model(torch.randn(3, 4)).sum().backward()
    x = torch.randn(3, 4)
    before, random = snapshot(model), torch.get_rng_state()
    dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=x)
    after = snapshot(model)
    assert torch.equal(random, torch.get_rng_state())
    for name in ("0.weight", "0.bias", "4.weight", "4.bias"):
        ident, value, grad_flag, _, grad, attributes = before[1].pop(name)
        found = after[1].pop(name)
        assert (ident, grad_flag, attributes) == (found[0], found[2], found[5])
        assert found[4] is grad
        assert not torch.equal(value, found[1])
    assert_same(before, after)


def test_groups_are_new_each_time():
    applied = dynparam.apply(chain(SIZES), "dynamic", learning_rate=0.1, sample_input=X)
    torch.optim.SGD(applied.parameter_groups, lr=0.5, momentum=0.9)
    assert all(set(group) == {"params", "lr", "name"} for group in applied.parameter_groups)
    with pytest.raises(FrozenInstanceError):
        applied.learning_rate = 1.0


def test_the_table_shows_what_was_set():
    model = ResidualMLP()
    model.norm.bias.requires_grad_(False)
    applied = dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=torch.zeros(1, 6))
    table = applied.table
    assert tuple(table.columns) == COLUMNS
    assert list(table.layer.unique()) == [*RESIDUAL_ORDER, "norm"]
    assert list(table.role) == ["hidden"] * 10 + ["readout"] * 2 + ["unchanged", "frozen"]
    up = table[(table.layer == "up.0") & (table.parameter == "weight")].iloc[0]
    assert (up.fan_in, up.fan_out) == (8, 24)
    assert up.init_std == approx(math.sqrt(2 / 8))
    assert up.learning_rate == approx(0.1)
    assert table.init_std.isna().sum() == 2
    assert [str(table[name].dtype) for name in ("fan_in", "fan_out")] == ["Int64", "Int64"]
    assert table.tail(2)[["fan_in", "fan_out"]].isna().all(axis=None)
    text = str(applied)
    assert text.startswith("dynamic, r = 0.5, n_min = 8, learning rate 0.1 of SGD\n")
    assert "nan" not in text.lower()
    assert "<NA>" not in text
    assert len(text.splitlines()) == 2 + len(table)


# Models that are no chains.


@pytest.mark.parametrize("make", [ResidualMLP, lambda: BottleneckCNN(bias=True)])
def test_training_lowers_the_loss(make):
    model = make()
    generator = torch.Generator().manual_seed(0)
    shape = (16, 6) if isinstance(model, ResidualMLP) else (16, 3, 4, 4)
    x = torch.randn(shape, generator=generator)
    applied = dynparam.apply(model, "dynamic", learning_rate=0.02, sample_input=x)
    y = x.reshape(16, x.shape[1], -1).mean(2)[:, : applied.layers[-1].fan_out]
    outputs = trained(model, applied.parameter_groups, x, y, momentum=0.9, steps=60)
    loss = (outputs - y).square().mean((1, 2))
    assert loss[-1] < 0.5 * loss[0]


@pytest.mark.parametrize("name", ["ntk", "mup", "dynamic", "standard"])
def test_a_residual_network_keeps_its_forward_sizes(name):
    """Preactivations of hidden layers, biases included, do not depend on n, nor on n_min = 2 sqrt(n).

    Means over 20 seeds and 8 inputs at three widths. A wrong power 1/2 of n_min would give a slope of
    1/4.
    """
    widths = [(64, 16), (256, 32), (1024, 64)]
    logs = []
    for n, n_min in widths:
        model, seen = ResidualMLP(n=n, n_min=n_min), []
        x = torch.randn(8, 6, generator=torch.Generator().manual_seed(5))
        for seed in range(20):
            applied = dynparam.apply(model, name, learning_rate=0.1, layers=RESIDUAL_ORDER, seed=seed)
            sizes = []
            hooks = [
                layer.module.register_forward_hook(
                    lambda module, args, out, sizes=sizes: sizes.append(float(out.square().mean()))
                )
                for layer in applied.layers
            ]
            with torch.no_grad():
                model(x)
            for hook in hooks:
                hook.remove()
            seen.append(np.log(sizes[:-1]) / 2)
        logs.append(np.mean(seen, axis=0))
    slopes = np.polyfit(np.log([n for n, _ in widths]), logs, 1)[0]
    assert np.abs(slopes).max() < 0.1, slopes


def one_step(name, n, n_min, seed, eta=1e-3):
    """Mean squares per layer of a bottleneck CNN: preactivations, and own updates after one step.

    A layer's own update is what its new weight changes on its old input, divided by eta.
    """
    generator = torch.Generator().manual_seed(1000 + seed)
    x = torch.randn(1, 3, 3, 3, dtype=F64, generator=generator)
    model = BottleneckCNN(n, n_min).double()
    applied = dynparam.apply(model, name, learning_rate=eta, layers=CNN_ORDER, seed=seed)
    seen = []
    for layer in applied.layers:
        layer.module.register_forward_hook(lambda module, args, out: seen.append((args[0], out)))
    (0.5 * (model(x) - torch.tensor([1.0, 0.0])).square()).sum().backward()
    torch.optim.SGD(applied.parameter_groups).step()
    with torch.no_grad():
        own = [
            layer.module.forward(h) - before
            for layer, (h, before) in zip(applied.layers, seen, strict=True)
        ]
    preactivation = [float(before.detach().square().mean()) for _, before in seen]
    return preactivation, [float(change.square().mean()) / eta**2 for change in own]


CHANNELS = ((36, 24), (144, 48), (576, 96))
CHANNEL_EXPONENTS = (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 2), Fraction(1), Fraction(0))


def measured_slopes(name):
    """Exponents of root mean squares over (n, n_min = 4 sqrt(n)), (2, L), from means of logarithms."""
    logs = [
        np.mean([np.log(one_step(name, n, n_min, seed)) for seed in range(64)], axis=0) / 2
        for n, n_min in CHANNELS
    ]
    x = np.log([n for n, _ in CHANNELS])
    return np.polyfit(x, np.reshape(logs, (len(CHANNELS), -1)), 1)[0].reshape(2, -1)


def exact_slopes(name):
    """The same of a fully connected chain by max-plus arithmetic; an own update has the order of a
    layer's contribution by that of its gradient."""
    exact = orders(name, CHANNEL_EXPONENTS)
    parts = zip(exact.contribution, exact.gradient, CHANNEL_EXPONENTS[1:], strict=True)
    own = [contribution - gradient - a / 2 for contribution, gradient, a in parts]
    return np.array([exact.preactivation, own], dtype=float)


@pytest.mark.parametrize("name", NAMES)
def test_convolutions_have_the_orders_of_a_chain(name):
    """Forward and update sizes of a bottleneck CNN grow as those of the MLP with its channels as widths.

    50 slopes in all; at a standard error of at most 0.05 (ntk and standard) and 0.03 (others) a correct
    rule fails one of them with probability of at most 5 %, and the seeds are fixed.
    """
    assert np.abs(measured_slopes(name) - exact_slopes(name)).max() < SLOPE


def test_wrong_orders_show():
    """Spectral's exponents differ from dynamic's by 1/4 and more where the network narrows."""
    assert np.abs(exact_slopes("spectral") - exact_slopes("dynamic")).max() >= 0.25
    assert np.abs(measured_slopes("dynamic") - exact_slopes("spectral")).max() > SLOPE


@pytest.mark.parametrize(("kernel", "groups"), [(1, 1), (3, 1), (5, 1), (3, 4), (3, 64)])
def test_kernels_and_groups_keep_the_forward_size(kernel, groups):
    """E (htilde_i)^2 = 2 E h_j^2 whatever the kernel's area: fan_in counts all that is summed.

    One seed's ratio scatters by up to 8 % (sqrt(2 / 576) of the depthwise kernel, and the input), so the
    mean of 40 by 1.2 %: 0.06 fails by chance once in 10^6. Without the area it would be 9 or 25 times 2.
    """
    ratios = []
    for seed in range(40):
        conv = nn.Conv2d(
            64, 64, kernel, padding=kernel // 2, padding_mode="circular", groups=groups, bias=False
        )
        model = nn.Sequential(conv, nn.ReLU(), nn.Conv2d(64, 2, 1))
        dynparam.apply(model, "dynamic", learning_rate=0.1, layers=["0", "2"], seed=seed)
        x = torch.randn(1, 64, 5, 5, generator=torch.Generator().manual_seed(1000 + seed))
        ratios.append(float(conv(x).detach().square().mean() / x.square().mean()))
    assert abs(np.mean(ratios) / 2 - 1) < 0.06


# What is refused.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "sp"}, "unknown parametrization 'sp'; choose one of"),
        ({"r": 0.6}, r"r = 0\.6 is outside \[0, 1/2\]"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; it must be positive"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"n_min": 0}, "n_min is 0; it must be an integer"),
        ({"n_min": 2.0}, r"n_min is 2\.0"),
        ({"n_min": True}, "n_min is True; it must be an integer"),
        ({"gain": -1.0}, r"the gain of 0 is -1\.0"),
        ({"gain": {"1": 1.0}}, "gain names '1', which is none of the layers 0, 2, 4, 6"),
        ({"gain": {"2": math.nan}}, "the gain of 2 is nan"),
    ],
)
def test_wrong_values_are_refused_before_anything_changes(arguments, message):
    model = chain(SIZES)
    before = snapshot(model)
    with pytest.raises(ConfigError, match=message):
        dynparam.apply(
            model, **{"name": "dynamic", "learning_rate": 0.1, "sample_input": X, **arguments}
        )
    assert_same(before, snapshot(model))


def test_a_model_without_hidden_layer_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(ModelError, match="no hidden layer, only the readout '1'"):
        dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=torch.zeros(1, 4))


# The pages.


DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "own-model.md", *sorted((DOCS / "own-model").glob("*.md"))]


def page_outputs(text):
    """(what the page shows, what its code prints) of all examples, run in order in one namespace."""
    namespace, printed, found = {}, "", []
    for kind, content in re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if kind == "python":
            with redirect_stdout(StringIO()) as output:
                exec(compile(content, "page", "exec"), namespace)  # the page is ours
            printed = output.getvalue()
        else:
            found.append((content, printed))
    return found


def test_the_pages_show_what_their_examples_print():
    outputs = [found for page in PAGES for found in page_outputs(page.read_text())]
    assert len(outputs) == 5
    for shown, printed in outputs:
        assert shown == printed


def test_a_page_with_another_output_is_found():
    ((shown, printed),) = page_outputs("```python\nprint(1)\n```\n```text\n2\n```\n")
    assert shown != printed


def test_the_page_explains_every_refusal():
    """Each message of ``find_layers`` and ``apply`` about a model has its row."""
    source = inspect.getsource(model_layers)
    errors = DOCS / "own-model" / "errors.md"
    rows = re.findall(r"^\| ([^|]+) \|", errors.read_text(), re.MULTILINE)
    phrases = [phrase for row in rows[2:] for phrase in row.split(", ")]
    assert len(phrases) >= 10
    told = re.sub(r"\"\s+f?\"", "", source + inspect.getsource(apply))
    for phrase in phrases:
        pattern = re.escape(phrase).replace("2", r"(2|\{[^}]+\})")
        assert re.search(pattern, told), phrase
