import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import dynparam
from dynparam.engines.network import DenseMap, sgd_step
from dynparam.statistics.verdicts import ClaimVerdict, Verdict, equivalence
from dynparam.support.errors import ConfigError, ModelError, NonFiniteError
from dynparam.theory.parametrization import LayerScales
from tests.tolerances import ONE_STEP

INPUTS = 20
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(8, INPUTS, generator=GENERATOR)
Y = nn.functional.one_hot(torch.arange(8) % 2, 2).float()
QUANTITIES = ["preactivation_rms", "update_rms", "gradient_norm", "alignment"]


def chain(n, *, narrow=lambda n: n, bias=False, activation=nn.ReLU):
    sizes = (INPUTS, n, narrow(n), n, 2)
    layers = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out, bias=bias), activation()]
    return nn.Sequential(*layers[:-1])


def root(n):
    return round(3 * math.sqrt(n))


class Residual(nn.Module):
    """A narrow branch around which a wide layer's outputs pass."""

    def __init__(self, n):
        super().__init__()
        self.a, self.d = nn.Linear(INPUTS, n, bias=False), nn.Linear(n, 2, bias=False)
        self.b, self.c = nn.Linear(n, root(n), bias=False), nn.Linear(root(n), n, bias=False)

    def forward(self, x):
        h = self.a(x).relu_()
        return self.d((h + self.c(self.b(h).relu_())).relu_())


class TwiceNarrow(nn.Module):
    """A branch through two layers of two units, around which a wide layer's outputs pass."""

    def __init__(self, n):
        super().__init__()
        self.a, self.z = nn.Linear(INPUTS, n, bias=False), nn.Linear(n, 2, bias=False)
        shapes = ((n, 2), (2, n), (n, 2), (2, n))
        self.branch = nn.Sequential(*(nn.Linear(*shape, bias=False) for shape in shapes))

    def forward(self, x):
        h = self.a(x).relu()
        return self.z(h + self.branch(h))


class Pictures(nn.Module):
    """Pointwise, depthwise, pointwise: a bottleneck CNN in small."""

    def __init__(self, n):
        super().__init__()
        self.a = nn.Conv2d(3, n, 3, padding=1, bias=False)
        self.b = nn.Conv2d(n, root(n), 1, bias=False)
        self.c = nn.Conv2d(root(n), root(n), 3, padding=1, groups=root(n), bias=False)
        self.d = nn.Conv2d(root(n), n, 1, bias=False)
        self.e = nn.Linear(n, 2, bias=False)

    def forward(self, x):
        h = x
        for layer in (self.a, self.b, self.c, self.d):
            h = layer(h).relu()
        return self.e(h.mean((2, 3)))


def check(make_model, widths=(32, 64), **arguments):
    settings = {"sample_input": X, "target": Y, "seeds": 2, **arguments}
    return dynparam.coordinate_check(make_model, widths, **settings)


class Passes(list):
    """A list that copies of a model share: the check works on a copy of what it is given."""

    def __deepcopy__(self, memo):
        return self


class Recorded(nn.Sequential):
    """A chain that keeps a copy of its weights at every pass of training."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.passes = Passes()

    def forward(self, x):
        if self.training and not x.requires_grad:
            self.passes.append([p.detach().clone() for p in self.parameters()])
        return super().forward(x)


def recorded_check(kept, **arguments):
    def make_model(n):
        kept.append(Recorded(*chain(n)))
        return kept[-1]

    return check(make_model, (16, 24), **arguments)


@pytest.mark.parametrize("name", ["dynamic", "spectral", "mup", "ntk"])
def test_one_image_shows_what_the_exact_propagation_shows(name):
    """A second algorithm: network.sgd_step on weights W = V / g, which subtracts no forward passes."""
    x, y = X[:1], Y[:1]
    models = []
    found = recorded_check(models, sample_input=x, target=y, parametrization=name).table
    for model, (_, rows) in zip(models, found.groupby(["width", "seed"]), strict=True):
        rates = dynparam.apply(model, name, learning_rate=0.1, sample_input=x.double()).table[
            "learning_rate"
        ]
        g = [math.sqrt(rate / 0.1) for rate in rates]
        maps = [DenseMap(v / g_l) for v, g_l in zip(model.passes[0], g, strict=True)]
        step = sgd_step(maps, LayerScales(tuple(g), (1.0,) * 4), x[0].double(), y[0].double(), 0.1)
        expected = [
            [
                step.preactivation[k].square().mean().sqrt().item(),
                step.update[k].square().mean().sqrt().item(),
                step.gradient[k].norm().item(),
                abs(torch.dot(step.gradient[k], step.update[k]).item()),
            ]
            for k in range(4)
        ]
        assert rows[QUANTITIES].to_numpy() == pytest.approx(
            np.array(expected), rel=ONE_STEP[torch.float64]
        )


def test_momentum_and_later_steps_are_those_of_torch():
    models = []
    found = recorded_check(models, momentum=0.9, steps=3).table
    assert found["step"].value_counts().to_dict() == dict.fromkeys((1, 2, 3), 2 * 2 * 4)
    model = models[0]
    rates = dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=X.double()).table[
        "learning_rate"
    ]
    weights = [w.clone().requires_grad_() for w in model.passes[1]]
    velocity = [torch.zeros_like(w) for w in weights]
    for _ in range(2):
        h = X.double()
        for w in weights[:-1]:
            h = (h @ w.T).relu()
        loss = 0.5 * (h @ weights[-1].T - Y).square().sum(1).mean()
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for w, v, gradient, rate in zip(weights, velocity, gradients, rates, strict=True):
                v.mul_(0.9).add_(gradient)
                w.sub_(rate * v)
    # Passes: one for the graph, then before and after each step.
    for w, seen in zip(weights, model.passes[5], strict=True):
        torch.testing.assert_close(w.detach(), seen, rtol=1e-12, atol=1e-14)


WIDE = (128, 256, 512)
CROSSOVER = 0.15
"""By how much terms of lower order change slopes at these widths, at most."""


@pytest.mark.parametrize("make_model", [Residual, Pictures])
@pytest.mark.parametrize("name", ["dynamic", "spectral"])
def test_branches_and_convolutions_scale_as_theory_expects(make_model, name):
    """Preactivations and alignments, eight or ten intervals at 99.9 % each.

    Were the exponents right up to the crossover, one of them would be judged to disagree for fewer than
    1 % of seeds. Exponents wrong by 1/2 are found wrong.
    """
    sample = X if make_model is Residual else torch.randn(8, 3, 6, 6, generator=GENERATOR)
    found = check(
        make_model,
        WIDE,
        sample_input=sample,
        parametrization=name,
        seeds=12,
        confidence=0.999,
        tolerance=CROSSOVER,
    )
    assert found.why_no_orders is None
    rows = found.slopes[found.slopes["quantity"] != "update"]
    assert "disagrees" not in set(rows["agrees"])
    wrong = [value - Fraction(1, 2) for value in rows["expected"]]
    judged = [
        equivalence(low, high, float(value), CROSSOVER)
        for low, high, value in zip(rows["ci_low"], rows["ci_high"], wrong, strict=True)
    ]
    assert Verdict.DISAGREES in judged


def test_alignments_inside_a_skip_have_either_sign():
    """Their mean size goes as n^(-3/2), and not as n^(-2), as it would if all terms had one sign.

    Four intervals at 98 %: were the exponent right up to the crossover, fewer than 8 % of seeds would
    fail; these do not.
    """
    found = check(
        TwiceNarrow,
        (512, 8192),
        sample_input=X[:1],
        target=Y[:1],
        parametrization="spectral",
        learning_rate=1e-4,
        seeds=24,
        confidence=0.98,
        tolerance=CROSSOVER,
    )
    rows = found.slopes[found.slopes["name"].str.startswith("branch")]
    rows = rows[rows["quantity"] == "alignment"]
    assert list(rows["expected"]) == [Fraction(-3, 2)] * 4
    assert "disagrees" not in set(rows["agrees"])
    assert (rows["ci_low"] > -2).all()


def test_standard_fails_and_dynamic_does_not():
    """The verdict can fail: at equal widths standard's alignments grow, dynamic's stay.

    At 95 % each of seven judged intervals is wrongly failed for at most 2.5 % of seeds.
    """
    widths, settings = (64, 128, 256, 512), {"seeds": 12, "tolerance": 0.2}
    standard = check(chain, widths, parametrization="standard", learning_rate=0.01, **settings)
    assert standard.verdict is ClaimVerdict.FAILS
    assert any("2.31 fails at 2" in sentence for sentence in standard.sentences())
    dynamic = check(chain, widths, parametrization="dynamic", **settings)
    assert dynamic.verdict is not ClaimVerdict.FAILS
    assert dynamic.regime == "rich"
    assert check(chain, widths, parametrization="ntk", **settings).regime == "lazy"


def bottlenecks(n):
    narrow = round(1.5 * math.sqrt(n))
    sizes = (INPUTS, n, narrow, n, narrow, n, 2)
    pairs = itertools.pairwise(sizes)
    modules = [module for a, b in pairs for module in (nn.Linear(a, b, bias=False), nn.ReLU())]
    return nn.Sequential(*modules[:-1])


def test_a_network_that_is_lazy_at_step_1_is_no_longer_lazy_after_its_plateau():
    """Spectral behind two bottlenecks: what the regime at step 1 leaves open, and ``steps`` shows."""
    found = check(
        bottlenecks, (64, 128, 256), parametrization="spectral", learning_rate=0.2, seeds=4, steps=20
    )
    regimes = {
        step: dataclasses.replace(found, table=found.table[found.table["step"] <= step]).regime
        for step in (1, 5, 20)
    }
    assert [regimes[1], regimes[5]] == ["lazy", "lazy"]
    assert regimes[20] == found.regime != "lazy"
    assert found.last_step == 20


def test_the_caller_s_randomness_and_tensors_stay():
    torch.manual_seed(5)
    before, x = torch.random.get_rng_state(), X.clone()
    check(lambda n: nn.Sequential(chain(n), nn.Dropout(0.5)))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(X, x)
    assert not X.requires_grad
    assert X.grad is None


class InPlace(nn.Module):
    """Changes its input in place, whatever its type."""

    def __init__(self, n):
        super().__init__()
        self.body = chain(n)

    def forward(self, x):
        return self.body(x.detach().mul_(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", [lambda x: x, lambda x: (x,), lambda x: {"x": x}])
def test_a_model_that_changes_its_input_changes_a_copy(dtype, form):
    """Also where no copy is needed to have float64; every pass sees the same batch."""
    x = X.to(dtype)
    before = x.clone()
    found = check(InPlace, sample_input=form(x), target=Y.to(dtype), seeds=2)
    assert torch.equal(x, before)
    assert found.table.equals(check(InPlace, sample_input=form(x), target=Y.to(dtype)).table)


def test_a_target_of_one_s_own_precision_stays():
    """A loss that changes its target in place changes a copy."""

    def loss(output, target):
        return (output - target.mul_(0.5)).square().mean()

    for dtype in (torch.float32, torch.float64):
        target = Y.to(dtype)
        check(chain, target=target, loss=loss, steps=2)
        assert torch.equal(target, Y.to(dtype))


def test_the_same_check_gives_the_same_table():
    assert check(chain).table.equals(check(chain).table)


def test_dropout_is_the_same_before_and_after_a_step():
    """With a step of nearly no length nothing moves but by the step; another mask would move all."""

    def dropping(n):
        return nn.Sequential(nn.Linear(INPUTS, n), nn.Dropout(0.5), nn.ReLU(), nn.Linear(n, 2))

    found = check(dropping, learning_rate=1e-9).table
    assert (found["update_rms"] < 1e-6).all()


def test_each_step_has_random_numbers_of_its_own():
    """The same before and after it, others in the next one, and in every trial."""
    drawn = []

    class Drawing(nn.Sequential):
        def forward(self, x):
            drawn.append(torch.rand(()).item())
            return super().forward(x)

    check(lambda n: Drawing(*chain(n)), steps=2, layers=["0", "2", "4", "6"])
    trials = [drawn[:6], drawn[6:10], drawn[10:16], drawn[16:]]
    for trial in trials:
        *first, second, again = trial  # the first seed of a width has passes for its graph
        assert len(set(first)) == 1
        assert second == again
    assert len(set(drawn)) == 2 * 2 * 2


def test_a_model_may_change_outputs_of_layers_in_place():
    in_place = check(lambda n: chain(n, activation=lambda: nn.ReLU(inplace=True)))
    assert in_place.table.equals(check(chain).table)


def cross_entropy(output, target):
    return nn.functional.cross_entropy(output, target.argmax(1))


def test_a_loss_of_one_s_own_and_biases():
    found = check(lambda n: chain(n, bias=True), loss=cross_entropy)
    assert found.why_no_orders is None
    assert set(found.slopes.loc[found.slopes["quantity"] == "alignment", "expected"]) == {Fraction(0)}


NO_THEORY = {
    "the model came with": (chain, {"parametrization": None}),
    "computes NativeLayerNorm": (
        lambda n: nn.Sequential(nn.Linear(INPUTS, n), nn.LayerNorm(n), nn.Linear(n, 2)),
        {},
    ),
    "n_min, 8, 4, 2, shrinks": (chain, {"n_min": lambda n: 256 // n}),
    "no power of the width": (lambda n: chain(n, narrow=lambda n: {32: 3, 64: 60, 128: 7}[n]), {}),
}


@pytest.mark.parametrize("reason", NO_THEORY)
def test_where_theory_does_not_reach_it_says_so(reason):
    make_model, settings = NO_THEORY[reason]
    found = check(make_model, (32, 64, 128), **settings)
    assert reason in found.why_no_orders
    assert set(found.slopes["agrees"]) == {""}
    assert reason in str(found)


def test_text_and_picture(tmp_path):
    found = check(chain, steps=2)
    assert "Sizes and alignments are kept" in str(found)
    assert found.plot(tmp_path / "check.png", step=2).axes[0].get_xlabel() == "width (units)"
    assert (tmp_path / "check.png").stat().st_size > 10_000
    with pytest.raises(ConfigError, match="step 3 was not taken"):
        found.plot(step=3)


BAD = {
    "at least two, ascending": {"widths": (32,)},
    "ascending": {"widths": (64, 32)},
    "steps is 0; it must be an integer of at least 1": {"steps": 0},
    "needs at least two": {"seeds": 1},
    "unknown parametrization": {"parametrization": "sp"},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_arguments(message):
    with pytest.raises(ConfigError, match=message):
        check(chain, **BAD[message])


@pytest.mark.parametrize("name", ["dynamic", None])
def test_a_model_without_a_hidden_layer(name):
    with pytest.raises(ModelError, match="has no hidden layer"):
        check(lambda n: nn.Linear(INPUTS, 2), parametrization=name)


def test_models_that_cannot_be_compared():
    with pytest.raises(ModelError, match="must change widths only"):
        check(lambda n: chain(n) if n == 32 else nn.Sequential(nn.Linear(INPUTS, n), nn.Linear(n, 2)))
    with pytest.raises(ModelError, match="does not depend on"):
        check(chain, loss=lambda output, target: torch.zeros((), requires_grad=True).double())
    with pytest.raises(NonFiniteError, match=r"of 0 is .* at width 32, seed 0, step"):
        check(chain, learning_rate=1e200, steps=3)


def test_every_width_and_seed_has_random_numbers_of_its_own():
    """Those that ``make_model`` draws, and the weights of a layer of one shape at all widths."""
    drawn, models = [], []

    def make(n):
        drawn.append(torch.rand(1).item())
        model = nn.Sequential(nn.Linear(INPUTS, 6, bias=False), nn.Linear(6, n), nn.Linear(n, 2))
        models.append(model)
        return model

    check(make, widths=(32, 64, 65), learning_rate=1e-9)
    assert len(drawn) == len(set(drawn)) == 6
    first = {tuple(model[0].weight.flatten().round(decimals=5).tolist()) for model in models}
    assert len(first) == 6


def test_the_loss_is_the_one_that_is_given():
    """Gradients of a loss ten times the thesis's are ten times as large, before the first step."""
    usual, larger = (
        check(chain, loss=lambda f, y, scale=scale: scale * (f - y).square().sum() / (2 * len(f)))
        for scale in (1.0, 10.0)
    )
    ratio = larger.table["gradient_norm"] / usual.table["gradient_norm"]
    assert ratio.tolist() == pytest.approx([10.0] * len(ratio))
