"""Models, numbers and files as people have them: each kind of situation with several of its members."""

import collections
import copy
import dataclasses
import random
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import dynparam
from dynparam.models.layers import find_layers
from dynparam.support.errors import ConfigError, ModelError, NonFiniteError

INPUTS, OUTPUTS = 6, 2
X, Y = torch.randn(5, INPUTS, generator=torch.Generator().manual_seed(0)), torch.ones(5, OUTPUTS)
TOKENS = torch.arange(5) % 3


class Calls(nn.Module):
    """Modules, parameters and buffers by name, and any forward over them."""

    def __init__(self, forward, buffers=(), **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            if name in buffers:
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *args, **kwargs):
        return self.run(self, *args, **kwargs)


def chain(n, readout=OUTPUTS):
    return nn.Sequential(
        nn.Linear(INPUTS, n), nn.ReLU(), nn.Linear(n, n), nn.ReLU(), nn.Linear(n, readout)
    )


def check(make_model, widths=(16, 32), **arguments):
    settings = {"sample_input": X, "target": Y, "seeds": 2, **arguments}
    return dynparam.coordinate_check(make_model, widths, **settings)


def apply(model, name="dynamic", **arguments):
    settings = {"learning_rate": 0.1, "sample_input": X, **arguments}
    return dynparam.apply(model, name, **settings)


# Names stand for modules, whichever of its names one is called by.


def twice_registered():
    model = Calls(
        lambda self, x: self.head(self.neck(self.trunk(x))),
        body=chain(8, 7),
        neck=nn.Linear(7, 5),
        head=nn.Linear(5, OUTPUTS),
    )
    model.trunk = nn.Sequential(*model.body.children())
    model.alias = model.head
    return model


def test_a_module_or_parameter_is_kept_under_any_of_its_names():
    for name, kept in {
        "trunk": {"body.0", "body.2", "body.4"},
        "trunk.2": {"body.2"},
        "alias": {"head"},
        "body.0": {"body.0"},
    }.items():
        model = twice_registered()
        before = copy.deepcopy(model.state_dict())
        found = apply(model, unchanged=[name])
        assert {one.layer for one in found.settings if one.role == "unchanged"} == kept, name
        for layer in kept:
            assert torch.equal(model.state_dict()[f"{layer}.weight"], before[f"{layer}.weight"])
        assert not kept & {layer.name for layer in found.layers}
    model = twice_registered()
    found = apply(model, unchanged=["trunk.4.bias"])
    assert [one.name for one in found.settings if one.role == "unchanged"] == ["body.4.bias"]


def test_layers_readouts_and_gains_are_named_by_any_name():
    model = twice_registered()
    named = find_layers(model, layers=["trunk.0", "trunk.2", "trunk.4", "neck", "alias"])
    assert named == find_layers(model, X, readout="alias")
    assert named == find_layers(model, X)
    usual, doubled = (apply(model, gain=gain).table for gain in (1.0, {"trunk.0": 1.0, "alias": 2.0}))
    ratio = (doubled["init_std"] / usual["init_std"])[usual["layer"] == "head"]
    assert ratio.dropna().tolist() == pytest.approx([2.0])  # of the bias, 0 / 0


def tied_halves():
    model = chain(8)
    model[2].weight = nn.Parameter(torch.ones(8, 8))
    model.append(nn.Linear(8, 8))
    model[5].weight = model[2].weight
    return Calls(lambda self, x: self.f[4](self.f[5](self.f[3](self.f[2](self.f[0](x))))), f=model)


@pytest.mark.parametrize("make", [twice_registered, tied_halves])
def test_every_module_has_its_own_parameters_back(make):
    model = make()
    before = {name: id(one) for name, one in model.named_parameters(remove_duplicate=False)}
    kept = ["f.2", "f.5"] if make is tied_halves else []
    found = [layer.name for layer in find_layers(model, X, unchanged=kept)]
    dynparam.sharpness(model, lambda f, y: (f - y).square().mean(), (X, Y))
    after = {name: id(one) for name, one in model.named_parameters(remove_duplicate=False)}
    assert before == after
    assert [layer.name for layer in find_layers(model, X, unchanged=kept)] == found
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            assert isinstance(layer.weight, nn.Parameter)


def test_a_tied_weight_counts_once_in_the_sharpness():
    """Two layers of one weight: the eigenvalue is that of the function of that weight."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    model[1].weight = model[0].weight
    nn.init.constant_(model[0].weight, 3.0)
    one = torch.ones(1, 1)
    found = dynparam.sharpness(model, lambda f, y: (f - y).square().sum() / 2, (one, one))
    assert found.value == pytest.approx((2 * 3.0) ** 2)  # f = w^2


# What lies behind the last layer decides whether it is a readout.


def behind(forward, buffers=(), **parts):
    return Calls(
        lambda self, x: forward(self, self.b(self.a(x).relu())),
        buffers,
        a=nn.Linear(INPUTS, 8),
        b=nn.Linear(8, 6),
        **parts,
    )


MATRIX = nn.Parameter(torch.randn(4, 6))

HIDDEN = {
    "functional": (lambda self, h: functional.linear(h, self.m), {"m": MATRIX}),
    "transposed": (lambda self, h: h.relu() @ self.m.T, {"m": MATRIX}),
    "einsum": (lambda self, h: torch.einsum("bi,oi->bo", h, self.m), {"m": MATRIX}),
    "frozen": (lambda self, h: h @ self.m.T, {"m": nn.Parameter(MATRIX.detach(), requires_grad=False)}),
    "buffer": (lambda self, h: h @ self.m.T, {"m": MATRIX.detach()}),
    "of two factors": (
        lambda self, h: h @ (self.m @ self.k),
        {"m": nn.Parameter(torch.randn(6, 3)), "k": nn.Parameter(torch.randn(3, 4))},
    ),
    "scores": (lambda self, h: h @ self.m.weight.T, {"m": nn.Embedding(9, 6)}),
    "recurrent": (lambda self, h: self.m(h[None])[0], {"m": nn.GRU(6, 4)}),
    "bilinear": (lambda self, h: self.m(h, h), {"m": nn.Bilinear(6, 6, 2)}),
    "transposed convolution": (
        lambda self, h: self.m(h[:, :, None]),
        {"m": nn.ConvTranspose1d(6, 4, 1)},
    ),
    "weight norm": (
        lambda self, h: self.m(h),
        {"m": nn.utils.parametrizations.weight_norm(nn.Linear(6, 4))},
    ),
    "after a norm": (lambda self, h: functional.layer_norm(h, (6,)) @ self.m.T, {"m": MATRIX}),
}

READOUT = {
    "nothing": (lambda self, h: h, {}),
    "scaled": (lambda self, h: h * self.m, {"m": nn.Parameter(torch.ones(6))}),
    "shifted by a table": (lambda self, h: h + self.m[: len(h)], {"m": nn.Parameter(torch.zeros(9, 6))}),
    "masked": (lambda self, h: h * self.m, {"m": torch.ones(5, 6)}),
    "normalized": (lambda self, h: self.m(h), {"m": nn.LayerNorm(6)}),
    "temperature": (
        lambda self, h: functional.log_softmax(h / self.m.exp(), 1),
        {"m": nn.Parameter(torch.zeros(()))},
    ),
    "with a penalty": (lambda self, h: (h, self.b.weight.square().sum()), {}),
    "beside another way": (lambda self, h: h + self.m(h), {"m": nn.GRUCell(6, 6)}),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_layer_before_a_matrix_is_hidden(case):
    forward, parts = HIDDEN[case]
    model = behind(forward, {"m"} if case == "buffer" else (), **parts)
    kept = [name for name in parts if case != "buffer"]
    found = find_layers(model, X, unchanged=kept)
    assert [(layer.name, layer.readout) for layer in found] == [("a", False), ("b", False)]


@pytest.mark.parametrize("case", READOUT)
def test_a_layer_behind_which_there_is_no_matrix_is_the_readout(case):
    forward, parts = READOUT[case]
    model = behind(forward, {"m"} if case == "masked" else (), **parts)
    kept = [name for name in parts if case != "masked"]
    assert [layer.readout for layer in find_layers(model, X, unchanged=kept)] == [False, True]


TIED = {
    "decodes by its first layer": lambda: Calls(
        lambda self, x: self.b(self.a(x).relu()) @ self.a.weight,
        a=nn.Linear(INPUTS, 8),
        b=nn.Linear(8, 8),
    ),
    "functional": lambda: Calls(
        lambda self, x: functional.linear(self.a(x).relu(), self.a.weight, self.a.bias),
        a=nn.Linear(INPUTS, INPUTS),
    ),
    "embeds by its readout": lambda: Calls(
        lambda self, x: self.b(self.a(functional.embedding(TOKENS, self.b.weight) + x)),
        a=nn.Linear(INPUTS, INPUTS),
        b=nn.Linear(INPUTS, 3),
    ),
    "of a slice": lambda: Calls(
        lambda self, x: self.a(x).relu() @ self.a.weight[:, :2], a=nn.Linear(INPUTS, 8)
    ),
}


@pytest.mark.parametrize("case", TIED)
def test_a_weight_that_multiplies_in_another_place_too_is_tied(case):
    with pytest.raises(ModelError, match="also multiplies outside of it"):
        find_layers(TIED[case](), X)


def test_a_frozen_weight_may_multiply_anywhere():
    model = TIED["decodes by its first layer"]()
    model.a.requires_grad_(False)
    assert [layer.readout for layer in find_layers(model, X)] == [False, False]


class Padded(nn.Conv2d):
    """Borders of its own."""

    def forward(self, x):
        return self._conv_forward(
            functional.pad(x, (1, 1, 1, 1), mode=self.kind), self.weight, self.bias
        )


class Standardized(nn.Conv2d):
    """A weight that is standardized first: another function of it."""

    def forward(self, x):
        return self._conv_forward(x, self.weight / self.weight.std(), self.bias)


class Slim(nn.Conv2d):
    """Half of its input channels: another fan_in."""

    def forward(self, x):
        return functional.conv2d(x, self.weight[:, :1], self.bias)


class WithSkip(nn.Conv2d):
    """Its input comes along."""

    def forward(self, x):
        return super().forward(x) + x.sum()


IMAGES = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def convolutions(layer):
    return nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


@pytest.mark.parametrize("kind", ["constant", "reflect", "replicate"])
def test_a_convolution_with_borders_of_its_own_is_one(kind):
    layer = Padded(3, 4, 3)
    layer.kind = kind
    found = find_layers(convolutions(layer), IMAGES)
    assert (found[0].fan_in, found[0].fan_out) == (27, 4)


@pytest.mark.parametrize("kind", [Standardized, WithSkip])
def test_a_convolution_that_computes_something_else_is_refused(kind):
    with pytest.raises(ModelError, match="does not compute what its weight and bias alone give"):
        find_layers(convolutions(kind(3, 4, 3)), IMAGES)


def test_a_convolution_on_part_of_its_weight_is_refused():
    with pytest.raises(ModelError, match="does not compute what its weight and bias alone give"):
        find_layers(convolutions(Slim(3, 4, 3)), IMAGES[:, :1])


# Independent repetitions are.


def eye(n):
    model = chain(n)
    for layer in model[::2]:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return model


def seeded(n):
    torch.manual_seed(n)
    return chain(n)


def from_numpy(n):
    model, generator = chain(n), np.random.default_rng(0)
    for one in model.parameters():
        one.data = torch.from_numpy(generator.normal(size=one.shape)).float()
    return model


KEPT = {n: chain(n) for n in (16, 32)}


@pytest.mark.parametrize(
    "make_model", [eye, seeded, from_numpy, KEPT.get], ids=["eye", "seeded", "numpy", "kept"]
)
def test_one_network_many_times_is_no_sample(make_model):
    with pytest.raises(ModelError, match="seeds 0 and 1 at width 16 are one and the same"):
        check(make_model, parametrization=None)


def test_a_factory_that_seeds_is_no_matter_where_weights_are_drawn_anew():
    found = check(seeded)
    assert (found.table.groupby("width")["update_rms"].nunique() == 2 * 3).all()


def noisy(draw):
    class Noisy(nn.Sequential):
        def __init__(self, n):
            super().__init__(*chain(n))
            self.own = np.random.default_rng(0), torch.Generator().manual_seed(0)

        def forward(self, x):
            return super().forward(x + 0.1 * draw(self, x))

    return Noisy


GLOBAL = {
    "numpy": lambda self, x: torch.from_numpy(np.random.standard_normal(x.shape)).to(x),
    "python": lambda self, x: random.gauss(0, 1),
    "torch": lambda self, x: torch.randn_like(x),
}

OWN = {
    "numpy": lambda self, x: torch.from_numpy(self.own[0].normal(size=x.shape)).to(x),
    "torch": lambda self, x: torch.randn(x.shape, generator=self.own[1]),
    "counter": lambda self, x: self.__dict__.setdefault("count", []).append(1) or len(self.count),
}


@pytest.mark.parametrize("case", GLOBAL)
def test_global_noise_is_the_same_before_and_after_a_step(case):
    """A step of no length moves nothing; other noise would. The caller's states stay."""
    states = np.random.get_state()[1].tolist(), random.getstate()
    found = check(noisy(GLOBAL[case]), learning_rate=1e-9)
    assert (found.table["update_rms"] < 1e-6).all()
    assert (np.random.get_state()[1].tolist(), random.getstate()) == states


@pytest.mark.parametrize("case", OWN)
def test_noise_of_a_model_s_own_is_refused(case):
    with pytest.raises(ModelError, match="two passes on the same batch differ at 0"):
        check(noisy(OWN[case]), layers=["0", "2", "4"])


# The check takes what apply takes, and both leave it as it is.


class Pair(NamedTuple):
    x: torch.Tensor
    scale: torch.Tensor


@dataclasses.dataclass(frozen=True)
class Batch:
    x: torch.Tensor
    scales: list


INPUT_FORMS = {
    "named tuple": (Pair(X, torch.ones(5, 1)), lambda x, scale: x.mul_(scale)),
    "nested named tuple": ((Pair(X, torch.ones(5, 1)),), lambda pair: pair.x.mul_(pair.scale)),
    "list": ([X, torch.ones(5, 1)], lambda both: both[0].mul_(both[1])),
    "data class": (Batch(X, [torch.ones(5, 1)]), lambda batch: batch.x.mul_(batch.scales[0])),
    "keywords": (collections.OrderedDict(x=X, scale=2.0), lambda *, x, scale: x.mul_(scale)),
    "user's mapping": (collections.UserDict(x=X), lambda *, x: x.sub_(1)),
    "nested": ({"x": {"deep": [(X, None, "text")]}}, lambda *, x: x["deep"][0][0].add_(1)),
}


@pytest.mark.parametrize("case", INPUT_FORMS)
def test_inputs_come_in_any_container_and_stay_as_they_are(case):
    given, take = INPUT_FORMS[case]
    before = X.clone()

    def make(n):
        return Calls(lambda self, *args, **kwargs: self.f(take(*args, **kwargs)), f=chain(n))

    assert apply(make(16), sample_input=given).n_min == 16
    assert check(make, sample_input=given).why_no_orders in (
        None,
        "between its layers the model computes Mul",
    )
    assert torch.equal(X, before)
    assert not X.requires_grad


def frozen_then(quiet, freeze):
    def forward(self, x):
        with torch.set_grad_enabled(torch.is_grad_enabled() and not quiet):
            h = self.trunk(input=x).relu()
        return self.head(input=self.neck(h).relu())

    def make(n):
        model = Calls(
            forward, trunk=nn.Linear(INPUTS, 24), neck=nn.Linear(24, n), head=nn.Linear(n, OUTPUTS)
        )
        for name in freeze:
            getattr(model, name).requires_grad_(False)
        return model

    return make


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize("freeze", [("trunk",), ("trunk", "neck")])
def test_frozen_layers_that_cannot_move_are_left_out(quiet, freeze):
    found = check(frozen_then(quiet, freeze), seeds=3)
    assert set(found.table["name"]) == {"trunk", "neck", "head"} - set(freeze)
    assert found.why_no_orders == f"layers are frozen: {', '.join(freeze)}"


def test_a_frozen_layer_behind_a_trained_one_moves_with_it():
    found = check(frozen_then(False, ("neck",)), seeds=3)
    assert set(found.table["name"]) == {"trunk", "neck", "head"}
    assert (found.table["update_rms"] > 0).all()


def test_what_is_shared_between_models_is_not_trained():
    trunk = nn.Linear(INPUTS, 16)
    before = copy.deepcopy(trunk.state_dict())
    check(lambda n: nn.Sequential(trunk, nn.ReLU(), nn.Linear(16, n), nn.ReLU(), nn.Linear(n, OUTPUTS)))
    assert all(torch.equal(before[name], value) for name, value in trunk.state_dict().items())
    assert trunk.weight.dtype == torch.float32


def test_trained_layers_without_gradients_are_refused():
    for found in (
        lambda: check(frozen_then(True, ())),
        lambda: apply(frozen_then(True, ())(16)),
        lambda: check(frozen_then(True, ()), layers=["trunk", "neck", "head"]),
    ):
        with pytest.raises(ModelError, match=r"trunk.* is trained but runs without gradients"):
            found()


def test_wrapped_models_say_to_unwrap_them():
    with pytest.raises(ModelError, match=r"wrapped in DataParallel; give its \.module"):
        apply(nn.DataParallel(chain(8)))
    with pytest.raises(ModelError, match=r"give its \.module"):
        check(lambda n: nn.DataParallel(chain(n)))
    with pytest.raises(ModelError, match="make_model gives a int"):
        check(lambda n: n)


# A zero, or a failure, is told by its cause.


def zeroed(*places):
    def make(n):
        model = chain(n)
        for place in places:
            nn.init.zeros_(model[place].weight)
            nn.init.zeros_(model[place].bias)
        return model

    return make


def test_a_zero_readout_is_told_at_step_1_and_judged_later():
    found = check(zeroed(4), (16, 32, 64), parametrization=None, steps=3, learning_rate=0.01)
    told = "\n".join(found.sentences())
    assert "Not judged at 0, step 1: its update is 0; no gradient reaches it" in told
    assert "Not judged at 4, step 1: its preactivation is 0; its preactivations are 0" in told
    later = found.slopes[found.slopes["step"] == 3]
    assert later["slope"].notna().all()
    assert "0 in all trials" in str(found)
    assert found.plot(step=1) is not None


def test_a_step_that_is_lost_to_rounding_is_told():
    found = check(
        lambda n: nn.Sequential(
            nn.Linear(INPUTS, n, bias=False),
            nn.Linear(n, n, bias=False),
            nn.Linear(n, OUTPUTS, bias=False),
        ),
        learning_rate=1e-300,
    )
    assert found.regime == "undecided"
    assert "learning_rate is lost to rounding" in str(found)


def sometimes(n):
    model = zeroed(4)(n) if torch.rand(()) < 0.5 else chain(n)
    return model


def test_zeros_in_some_trials_are_refused_by_their_cause():
    with pytest.raises(NonFiniteError, match=r"of 0 is 0 at width .*no gradient reaches it"):
        check(sometimes, parametrization=None, seeds=8)


FLOATS = torch.ones(OUTPUTS)

WRONG_TYPES = {
    "in the loss": (chain, {"loss": lambda f, y: ((f - y) @ FLOATS).square().mean()}, "float64"),
    "in forward": (
        lambda n: Calls(lambda self, x: self.f(x.float()), f=chain(n)),
        {},
        r"the model is in float64 \(a coordinate check runs in float64\)",
    ),
    "of a shape": (chain, {"sample_input": torch.ones(5, 7)}, "one batch, as in training"),
    "no scalar": (chain, {"loss": lambda f, y: f - y}, "loss is no scalar"),
}


@pytest.mark.parametrize("case", WRONG_TYPES)
def test_a_failure_says_which_it_is(case):
    make_model, arguments, message = WRONG_TYPES[case]
    with pytest.raises(ModelError, match=message):
        check(make_model, **arguments)


def test_tensors_made_on_the_way_and_modules_as_losses_are_in_float64():
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([0.2, 0.8]))
    made = lambda n: Calls(lambda self, x: self.f(x + torch.zeros(len(x), 1)), f=chain(n))  # noqa: E731
    assert len(check(made, target=TOKENS % 2, loss=weighted).table)
    assert weighted.weight.dtype == torch.float32
    assert torch.get_default_dtype() == torch.float32


# Numbers of other types; global defaults.


@pytest.mark.parametrize(
    "numbers",
    [
        {"learning_rate": np.float32(0.125), "n_min": np.int64(4)},
        {"learning_rate": np.float64(0.125), "n_min": np.uint8(4)},
        {"learning_rate": Fraction(1, 8), "n_min": torch.tensor(4)},
        {"learning_rate": torch.tensor(0.125), "n_min": np.array(4)},
    ],
    ids=str,
)
def test_a_number_is_one_whatever_its_type(numbers):
    plain = apply(chain(8), learning_rate=0.125, n_min=4)
    found = apply(chain(8), **numbers)
    assert str(found) == str(plain)
    assert type(found.n_min) is int


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": "1e-3"}, "learning_rate is '1e-3', which is text"),
        ({"learning_rate": None}, "learning_rate is None; give a number"),
        ({"learning_rate": True}, "learning_rate is True; give a number"),
        ({"learning_rate": np.array([0.1, 0.2])}, "give a number"),
        ({"n_min": 16.0}, "n_min is 16.0; it must be an integer"),
        ({"n_min": "16"}, "n_min is '16'; it must be an integer"),
        ({"n_min": np.bool_(True)}, "it must be an integer"),
        ({"gain": "2"}, "is '2', which is text"),
    ],
    ids=str,
)
def test_what_is_no_number_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(ConfigError, match=message):
        apply(chain(8), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": (16.0, 32.0)}, "a width is 16.0; it must be an integer"),
        ({"widths": ("16", "32")}, "a width is '16'"),
        ({"seeds": 2.0}, "seeds is 2.0"),
        ({"steps": "3"}, "steps is '3'"),
        ({"tolerance": "0.1"}, "tolerance is '0.1', which is text"),
        ({"momentum": None}, "momentum is None"),
    ],
    ids=str,
)
def test_a_check_s_numbers_are_refused_in_a_sentence(arguments, message):
    with pytest.raises(ConfigError, match=message):
        check(chain, **arguments)


def test_widths_may_be_numpy_s():
    kinds = []

    def make(n):
        kinds.append(type(n))
        return chain(n)

    found = check(make, np.array([16, 32]), n_min=lambda n: np.min([n, 20]))
    assert set(kinds) == {int}
    assert set(found.table["n_min"]) == {16, 20}


@pytest.mark.parametrize("default", ["meta", torch.float64, torch.bfloat16], ids=str)
def test_what_is_drawn_does_not_depend_on_torch_s_defaults(default):
    model, plain = chain(8), chain(8)
    x = X.clone()
    kept = torch.get_default_dtype()
    try:
        if default == "meta":
            torch.set_default_device(default)
        else:
            torch.set_default_dtype(default)
        apply(model, sample_input=x)
        found = dynparam.sharpness(model, lambda f, y: (f - y).square().mean(), (x, Y))
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(kept)
    apply(plain)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), plain.parameters(), strict=True))
    assert found == dynparam.sharpness(plain, lambda f, y: (f - y).square().mean(), (X, Y))


# Files of a user's.


@pytest.mark.parametrize("name", ["widths", "run.v2", "a.png.bak", ".png"])
def test_a_picture_needs_an_ending_of_a_format(tmp_path, name):
    found = check(chain)
    with pytest.raises(ConfigError, match=r"names no format of pictures; write .*png"):
        found.plot(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    for ending in ("png", "PDF", "svg"):
        found.plot(tmp_path / f"run.v2.{ending}")
        assert (tmp_path / f"run.v2.{ending}").stat().st_size > 1000


# A refusal tells all that stands in the way.


def test_all_that_stands_in_the_way_is_told_at_once_and_can_be_listed():
    def text():
        return Calls(
            lambda self, t: self.head(self.rnn(self.twice(self.twice(self.emb(t))))[0].mean(1)),
            emb=nn.Embedding(50, 8, max_norm=1.0),
            twice=nn.Linear(8, 8),
            rnn=nn.GRU(8, 8, batch_first=True),
            never=nn.Linear(3, 3),
            head=nn.Linear(8, 2),
        )

    tokens = torch.zeros(2, 4, dtype=torch.int64)
    with pytest.raises(ModelError) as caught:
        apply(text(), sample_input=tokens)
    told = str(caught.value)
    for part in (
        "emb (Embedding) rescales",
        "rnn.weight_ih_l0",
        "twice (Linear) is executed 2",
        "never (Linear) is never",
    ):
        assert part in told
    names = eval(told.partition("unchanged=")[2])  # the list can be copied
    with pytest.raises(ModelError, match="no hidden layer"):
        apply(text(), sample_input=tokens, unchanged=names)
    assert "\n" not in told
