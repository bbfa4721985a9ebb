"""Which layers a model has, in which order, and that looking leaves no trace."""

import copy
import re

import pytest
import torch
from torch import nn

from dynparam.models.layers import find_layers, other_parameters
from dynparam.support.errors import ModelError
from tests.own_models import CNN_ORDER, RESIDUAL_ORDER, BottleneckCNN, ResidualMLP, chain


def names(layers):
    return [layer.name for layer in layers]


def readouts(layers):
    return [layer.name for layer in layers if layer.readout]


def shapes(layers):
    return [(layer.fan_in, layer.fan_out) for layer in layers]


class Calls(nn.Module):
    """Modules by name and any forward over them."""

    def __init__(self, forward, **modules):
        super().__init__()
        self.run = forward
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, *args, **kwargs):
        return self.run(self, *args, **kwargs)


# Order, shapes and readouts.


def test_a_chain():
    layers = find_layers(chain((5, 7, 4, 2), bias=True), torch.zeros(1, 5, dtype=torch.float64))
    assert names(layers) == ["0", "2", "4"]
    assert shapes(layers) == [(5, 7), (7, 4), (4, 2)]
    assert readouts(layers) == ["4"]
    assert all(layer.has_bias for layer in layers)


def test_execution_decides_the_order_not_registration():
    layers = find_layers(ResidualMLP(), torch.zeros(2, 6))
    assert names(layers) == RESIDUAL_ORDER
    assert readouts(layers) == ["head"]


def test_a_model_may_read_what_hangs_on_its_parameters():
    model = Calls(
        lambda self, x: self.b(self.a(x) * self.a.weight.factor), a=nn.Linear(3, 4), b=nn.Linear(4, 2)
    )
    model.a.weight.factor = 2.0
    assert names(find_layers(model, torch.zeros(1, 3))) == ["a", "b"]


def test_fan_in_counts_the_kernel_and_width_the_channels():
    layers = find_layers(BottleneckCNN(24, 8), torch.zeros(1, 3, 4, 4))
    assert names(layers) == CNN_ORDER
    assert shapes(layers) == [(3, 24), (24, 8), (72, 8), (8, 24), (24, 2)]


@pytest.mark.parametrize(
    ("layer", "x", "shape"),
    [
        (nn.Conv1d(6, 10, 5), torch.zeros(1, 6, 9), (30, 10)),
        (nn.Conv2d(6, 10, (3, 2), groups=2), torch.zeros(1, 6, 9, 9), (18, 10)),
        (nn.Conv2d(6, 6, 3, groups=6), torch.zeros(1, 6, 9, 9), (9, 6)),
        (nn.Conv3d(2, 4, 3), torch.zeros(1, 2, 4, 4, 4), (54, 4)),
        (nn.Linear(6, 10), torch.zeros(1, 3, 6), (6, 10)),
    ],
)
def test_shapes_of_other_layers(layer, x, shape):
    (found,) = find_layers(layer, x)
    assert (found.fan_in, found.fan_out) == shape
    assert found.name == ""


def test_fan_in_is_what_one_output_sums():
    """Counted by autograd: the inputs that an output away from the border depends on."""
    conv = nn.Conv2d(6, 10, (3, 2), groups=2)
    x = torch.randn(1, 6, 9, 9, requires_grad=True)
    conv(x)[0, 0, 4, 4].backward()
    assert find_layers(conv, torch.zeros(1, 6, 9, 9))[0].fan_in == int((x.grad != 0).sum())


def test_a_flattened_map_feeds_the_readout():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    assert shapes(find_layers(model, torch.zeros(1, 3, 4, 4))) == [(27, 4), (16, 2)]


def test_parallel_branches_need_no_order():
    model = Calls(
        lambda self, x: self.head(torch.cat([self.left(x), self.right(x)], 1).relu()),
        head=nn.Linear(7, 2),
        right=nn.Linear(5, 4),
        left=nn.Linear(5, 3),
    )
    layers = find_layers(model, torch.zeros(1, 5))
    assert names(layers) == ["left", "right", "head"]
    assert readouts(layers) == ["head"]


def heads():
    return Calls(
        lambda self, x: {"a": self.a(self.body(x).relu()), "b": [self.b(self.body_b(x).relu())]},
        **{name: nn.Linear(5, 5) for name in ("body", "body_b", "a", "b")},
    )


def test_several_heads_must_be_named():
    with pytest.raises(ModelError, match=re.escape("readout=['a', 'b']")):
        find_layers(heads(), torch.zeros(1, 5))
    assert readouts(find_layers(heads(), torch.zeros(1, 5), readout=["a", "b"])) == ["a", "b"]


def test_a_skip_to_the_output_is_ambiguous():
    model = Calls(
        lambda self, x: self.out(self.first(x).relu()) + self.skip(x),
        **{name: nn.Linear(5, 5) for name in ("first", "out", "skip")},
    )
    with pytest.raises(ModelError, match="2 layers reach"):
        find_layers(model, torch.zeros(1, 5))
    assert readouts(find_layers(model, torch.zeros(1, 5), readout="out")) == ["out"]


def test_operations_in_place_on_views_do_not_hide_a_layer():
    """Linear on three axes returns a view; ReLU in place then rewrites its history."""
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 2), nn.ReLU(inplace=True))
    layers = find_layers(model, torch.zeros(2, 3, 4))
    assert names(layers) == ["0", "2"]
    assert readouts(layers) == ["2"]


def test_arguments_come_as_tuple_or_mapping():
    model = Calls(
        lambda self, x, *, scale: self.b(self.a(x * scale)), a=nn.Linear(3, 4), b=nn.Linear(4, 2)
    )
    assert names(find_layers(model, {"x": torch.zeros(1, 3), "scale": 2.0})) == ["a", "b"]
    model.run = lambda self, x, scale: self.b(self.a(x * scale))
    assert names(find_layers(model, (torch.zeros(1, 3), 2.0))) == ["a", "b"]


def test_named_layers_need_no_input():
    layers = find_layers(ResidualMLP(), layers=RESIDUAL_ORDER)
    assert layers == find_layers(ResidualMLP(), torch.zeros(2, 6))
    assert readouts(find_layers(ResidualMLP(), layers=RESIDUAL_ORDER, readout=["stem"])) == ["stem"]


def test_integers_as_input():
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    layers = find_layers(model, torch.zeros(1, 3, dtype=torch.int64), unchanged=["0"])
    assert names(layers) == ["1", "3"]
    assert [name for name, _, _ in other_parameters(model, layers)] == ["0"]


def test_frozen_layers_are_found_and_may_repeat_or_rest():
    model = Calls(
        lambda self, x: self.b(self.a(self.a(x))),
        a=nn.Linear(4, 4).requires_grad_(False),
        b=nn.Linear(4, 2),
        teacher=nn.LSTM(2, 2).requires_grad_(False),
        unused=nn.Linear(3, 3).requires_grad_(False),
    )
    assert names(find_layers(model, torch.zeros(1, 4))) == ["a", "b"]


class Named(nn.Linear):
    """A subclass that computes what Linear does, in words of its own."""

    def forward(self, x):
        return x @ self.weight.T + self.bias


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def test_subclasses_count_if_their_weight_means_the_same():
    model = nn.Sequential(Named(3, 4), nn.Linear(4, 2))
    assert names(find_layers(model, torch.randn(5, 3))) == ["0", "1"]
    with pytest.raises(ModelError, match=r"0 \(Doubled\) does not compute"):
        find_layers(nn.Sequential(Doubled(3, 4), nn.Linear(4, 2)), torch.randn(5, 3))


class Several(nn.Linear):
    """Gives its outputs in a tuple."""

    def forward(self, x):
        return (super().forward(x),)


def test_a_layer_that_gives_no_tensor_is_none_and_may_be_left_out():
    model = Calls(
        lambda self, x: self.b(self.a(self.c(x)[0])),
        a=nn.Linear(4, 4),
        b=nn.Linear(4, 2),
        c=Several(3, 4),
    )
    with pytest.raises(
        ModelError, match=r"c \(Several\) does not compute what its weight and bias alone"
    ):
        find_layers(model, torch.zeros(1, 3))
    assert names(find_layers(model, torch.zeros(1, 3), unchanged=["c"])) == ["a", "b"]


def test_numbers_that_are_not_trained_may_be_whole():
    model = chain((5, 7, 2))
    model.steps = nn.Parameter(torch.zeros(3, dtype=torch.int64), requires_grad=False)
    assert names(find_layers(model, torch.zeros(1, 5, dtype=torch.float64))) == ["0", "2"]


def test_a_readout_that_is_left_out_leaves_none():
    """Its hidden layers stay hidden ones."""
    layers = find_layers(ResidualMLP(), torch.zeros(1, 6), unchanged=["head"])
    assert names(layers) == RESIDUAL_ORDER[:-1]
    assert readouts(layers) == []
    assert readouts(find_layers(ResidualMLP(), layers=RESIDUAL_ORDER, readout=())) == []


# No trace.


class Restless(nn.Module):
    """Changes all that a forward pass can: buffers in place and anew, random numbers, its input."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(), nn.Linear(6, 2))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("last", torch.zeros(4), persistent=False)
        self.fails = False

    def train(self, mode=True):
        raise AssertionError("train or eval was called")

    def forward(self, x):
        x += torch.rand_like(x)
        self.count += 1
        self.last = x[0]
        y = self.inner(x)
        if self.fails:
            raise RuntimeError("out of luck")
        return y


def snapshot(model):
    """All state of a model that could show a trace."""
    modules = {
        name: (sorted(vars(m)), m.training, len(m._forward_hooks), len(m._forward_pre_hooks))
        for name, m in model.named_modules()
    }
    tensors = {
        name: (id(t), t.clone(), t.requires_grad, t._version, t.grad, sorted(vars(t)))
        for name, t in [*model.named_parameters(), *model.named_buffers()]
    }
    return modules, tensors


def assert_same(before, after):
    assert before[0] == after[0]
    assert before[1].keys() == after[1].keys()
    for name, (ident, value, *rest) in before[1].items():
        assert (ident, *rest) == (after[1][name][0], *after[1][name][2:]), name
        assert torch.equal(value, after[1][name][1]), name


@pytest.mark.parametrize("fails", [False, True])
def test_looking_leaves_no_trace(fails):
    model = Restless()
    model.inner[1].training = False  # flags may be mixed
    model.fails = fails
    x = torch.ones(3, 4)
    before, random = snapshot(model), torch.get_rng_state()
    if fails:
        with pytest.raises(ModelError, match="out of luck"):
            find_layers(model, x)
    else:
        find_layers(model, x)
    assert_same(before, snapshot(model))
    assert torch.equal(random, torch.get_rng_state())
    assert torch.equal(x, torch.ones(3, 4))
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()


def test_the_snapshot_sees_an_ordinary_pass():
    model = Restless()
    before = snapshot(model)
    model(torch.ones(3, 4))
    with pytest.raises(AssertionError):
        assert_same(before, snapshot(model))


def test_looking_works_without_gradients_switched_on():
    with torch.no_grad():
        layers = find_layers(chain((5, 7, 2)), torch.zeros(1, 5, dtype=torch.float64))
        assert not torch.is_grad_enabled()
    assert readouts(layers) == ["2"]


# What is refused, and how.


def tied():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    return model


def tied_by_storage():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = nn.Parameter(model[0].weight.detach())
    return model


class Reuses(nn.Module):
    """Multiplies by a matrix of its own, which is that of a layer."""

    def __init__(self, layer):
        super().__init__()
        self.table = layer.weight

    def forward(self, x):
        return x @ self.table


def tied_to_a_layer_before():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, Reuses(layer))


def with_parameter():
    model = chain((4, 4, 2), dtype=torch.float32)
    model.table = nn.Parameter(torch.zeros(3, 4))
    return model


def linear_and(module):
    return nn.Sequential(nn.Linear(4, 4), module, nn.Linear(4, 4))


class OwnAttention(nn.MultiheadAttention):
    """Attention with a forward that nobody here has read."""

    def forward(self, *args, **kwargs):
        return super().forward(*args, **kwargs)


def severed():
    return Calls(lambda self, x: self.b(self.a(x)).detach(), a=nn.Linear(4, 4), b=nn.Linear(4, 4))


REFUSED = {
    "tied": (tied, r"2\.weight and 0\.weight are tied.*untie"),
    "tied_by_storage": (tied_by_storage, r"2\.weight and 0\.weight are tied"),
    "tied_to_a_layer_before": (tied_to_a_layer_before, r"1\.table and 0\.weight are tied"),
    "executed_twice": (
        lambda: Calls(lambda self, x: self.a(self.a(x)), a=nn.Linear(4, 4)),
        r"a \(Linear\) is executed 2 times.*module of its own",
    ),
    "never_executed": (
        lambda: Calls(lambda self, x: self.a(x), a=nn.Linear(4, 4), b=nn.Linear(4, 4)),
        r"b \(Linear\) is never executed.*sample_input that reaches it",
    ),
    "no_layer": (nn.ReLU, "ReLU has no weight layer"),
    "lazy": (lambda: linear_and(nn.LazyLinear(4)), r"1\.weight of 1 \(LazyLinear\).*one batch first"),
    "transposed": (
        lambda: linear_and(nn.ConvTranspose1d(4, 4, 1)),
        r"1\.weight belongs to 1 \(ConvTranspose1d\).*list '1' in unchanged",
    ),
    "bag": (lambda: linear_and(nn.EmbeddingBag(4, 4)), r"belongs to 1 \(EmbeddingBag\)"),
    "rescaled": (
        lambda: linear_and(nn.Embedding(4, 4, max_norm=1.0)),
        r"1 \(Embedding\) rescales its rows.*without max_norm",
    ),
    "recurrent": (lambda: linear_and(nn.GRU(4, 4)), r"1\.weight_ih_l0 belongs to 1 \(GRU\)"),
    "attention": (
        lambda: linear_and(OwnAttention(4, 1)),
        r"1\.in_proj_weight belongs to 1 \(OwnAttention\)",
    ),
    "bilinear": (lambda: linear_and(nn.Bilinear(4, 4, 4)), r"belongs to 1 \(Bilinear\)"),
    "own_matrix": (with_parameter, r"table belongs to the model \(Sequential\).*list 'table'"),
    "weight_norm": (
        lambda: linear_and(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))),
        r"weight of 1 \(ParametrizedLinear\) is computed",
    ),
    "meta": (
        lambda: linear_and(nn.Linear(4, 4, device="meta")),
        r"1\.weight of 1 \(Linear\) is on the meta device",
    ),
    "complex": (
        lambda: linear_and(nn.Linear(4, 4, dtype=torch.complex64)),
        r"1\.weight of 1 \(Linear\) is of type torch\.complex64",
    ),
    "severed": (severed, r"no way leads back.*readout=\['b'\]"),
    "wrong_input": (
        lambda: nn.Linear(3, 2),
        r"Linear does not run on sample_input .*on the model's device",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_module_and_the_remedy(case):
    make, message = REFUSED[case]
    with pytest.raises(ModelError, match=message) as caught:
        find_layers(make(), torch.zeros(1, 4))
    assert "\n" not in str(caught.value) or case == "wrong_input"


def test_an_empty_layer_is_refused(recwarn):
    with pytest.raises(ModelError, match=r"1\.weight of 1 \(Linear\) has no width"):
        find_layers(linear_and(nn.Linear(4, 0)), torch.zeros(1, 4))
    assert "zero-element" in str(recwarn.pop().message)


def test_what_is_listed_as_unchanged_is_accepted():
    model = nn.Sequential(tied(), nn.Linear(4, 2))
    assert names(find_layers(model, torch.zeros(1, 4), unchanged=["0"])) == ["1"]
    with pytest.raises(ModelError, match="are tied"):
        find_layers(model, torch.zeros(1, 4), unchanged=["0.0", "0.2.bias"])
    model = Calls(
        lambda self, x: self.b(self.a(x) + self.attention(x, x, x)[0] + self.a.weight[0]),
        a=nn.Linear(4, 4),
        b=nn.Linear(4, 2),
        attention=nn.MultiheadAttention(4, 1),
        spare=nn.Linear(4, 4),
    )
    layers = find_layers(model, torch.zeros(1, 4), unchanged=["attention", "spare"])
    assert names(layers) == ["a", "b"]


def test_names_that_begin_alike_are_other_names():
    """'head' names neither 'head2' nor 'headless.0', and '1' not '10'."""
    model = Calls(
        lambda self, x: self.head2(self.head(self.headless(x))),
        headless=nn.Sequential(nn.Linear(4, 4), nn.ReLU()),
        head=nn.Sequential(nn.Linear(4, 4), nn.ReLU()),
        head2=nn.Linear(4, 2),
    )
    layers = find_layers(model, torch.zeros(1, 4), unchanged=["head"])
    assert names(layers) == ["headless.0", "head2"]
    assert [name for name, _, _ in other_parameters(model, layers)] == ["head.0"] * 2
    deep = nn.Sequential(*(nn.Linear(4, 4) for _ in range(12)))
    layers = find_layers(deep, torch.zeros(1, 4), unchanged=["1"])
    assert names(layers) == ["0", *map(str, range(2, 12))]
    assert names(find_layers(deep, torch.zeros(1, 4), unchanged=["1.weight", "1.bias"])) == names(
        find_layers(deep, torch.zeros(1, 4))
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either sample_input"),
        ({"sample_input": torch.zeros(1, 5), "layers": ["0"]}, "either sample_input"),
        ({"layers": ["0", "1", "2"]}, "'1', which is no weight layer"),
        ({"layers": ["0", "0", "2"]}, "'0' 2 times"),
        ({"layers": ["2"]}, r"leaves out 0 \(Linear\)"),
        ({"layers": ["0", "2"], "readout": "3"}, "readout names '3', which is none of the layers 0, 2"),
        ({"layers": ["0", "2"], "unchanged": ["x"]}, "unchanged names 'x'"),
        ({"layers": ["0", "2"], "unchanged": "0"}, r"write unchanged=\['0'\]"),
    ],
)
def test_wrong_names_are_refused(arguments, message):
    with pytest.raises(ModelError, match=message):
        find_layers(chain((5, 7, 2)), **arguments)


def test_copies_of_a_model_give_equal_layers():
    model = ResidualMLP()
    assert find_layers(model, torch.zeros(1, 6)) == find_layers(copy.deepcopy(model), torch.zeros(1, 6))
