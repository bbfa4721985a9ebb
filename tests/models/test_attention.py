"""Attention of torch, opened into its layers, against itself and against attention of plain layers."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import dynparam
from dynparam.models.attention import opened, projections
from dynparam.models.layers import find_layers
from dynparam.support.errors import ConfigError, ModelError

F64 = torch.float64
D, HEADS, LENGTH, BATCH = 8, 2, 5, 3


def signal(*shape, seed=0):
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


X = signal(BATCH, LENGTH, D)
CAUSAL = torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)
PADDED = torch.arange(LENGTH) >= torch.tensor([[LENGTH], [LENGTH - 1], [LENGTH - 2]])


def attention(**options):
    torch.manual_seed(1)
    found = nn.MultiheadAttention(D, HEADS, **({"batch_first": True, "dtype": F64} | options))
    for parameter in found.parameters():
        nn.init.normal_(parameter)
    return found


CASES = {
    "self": ({}, (X, X, X), {}),
    "time_first": ({"batch_first": False}, (X, X, X), {}),
    "without_batch": ({}, (X[0], X[0], X[0]), {}),
    "without_bias": ({"bias": False}, (X, X, X), {}),
    "cross": ({}, (X, signal(BATCH, 7, D, seed=1), signal(BATCH, 7, D, seed=2)), {}),
    "other_widths": (
        {"kdim": 6, "vdim": 4},
        (X, signal(BATCH, 7, 6, seed=1), signal(BATCH, 7, 4, seed=2)),
        {},
    ),
    "causal": ({}, (X, X, X), {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False}),
    "float_mask": ({}, (X, X, X), {"attn_mask": signal(LENGTH, LENGTH, seed=3)}),
    "padded": ({}, (X, X, X), {"key_padding_mask": PADDED}),
    "weights_of_heads": ({}, (X, X, X), {"average_attn_weights": False}),
    "more_keys": ({"add_bias_kv": True, "add_zero_attn": True}, (X, X, X), {}),
    "dropout": ({"dropout": 0.5}, (X, X, X), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_opened_it_computes_the_same_and_has_the_same_gradients(case):
    options, inputs, arguments = CASES[case]
    found = []
    for within in ((), projections(model := attention(**options)).values()):
        model.zero_grad()
        torch.manual_seed(5)
        with opened(within):
            output, weights = model(*inputs, **arguments)
        output.square().sum().backward()
        found.append([output, weights, *(one.grad for one in model.parameters())])
    assert "forward" not in vars(model)
    for one, other in zip(*found, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.dist(one, other) <= 1e-10 * one.norm()
    assert found[0][0].abs().sum() > 0


def test_it_is_closed_again_also_after_a_failure():
    model = attention()
    during = []

    def fails():
        with opened(projections(model).values()):
            during.append(torch.backends.mha.get_fastpath_enabled())
            model(X, X, X[..., :3])

    with pytest.raises(RuntimeError):
        fails()
    assert during == [False]
    assert "forward" not in vars(model)
    assert torch.backends.mha.get_fastpath_enabled()


def test_attention_with_a_forward_of_its_own_is_not_opened():
    model = attention()
    assert list(projections(model)) == ["q_proj", "k_proj", "v_proj"]
    model.forward = lambda *args: args
    assert projections(model) == {}


class Plain(nn.Module):
    """The same attention written with four linear layers."""

    def __init__(self, d):
        super().__init__()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            self.add_module(name, nn.Linear(d, d))

    def forward(self, query, key, value, need_weights=False):
        batch, length, d = query.shape

        def heads(x):
            return x.reshape(batch, length, HEADS, d // HEADS).transpose(1, 2)

        q, k, v = (heads(part(x)) for part, x in self._parts(query, key, value))
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, length, d)), None

    def _parts(self, *signals):
        return zip((self.q_proj, self.k_proj, self.v_proj), signals, strict=True)


class Block(nn.Module):
    """A residual attention between two linear layers."""

    def __init__(self, d, attend):
        super().__init__()
        self.stem, self.attend, self.head = nn.Linear(D, d), attend, nn.Linear(d, 2)

    def forward(self, x):
        h = self.stem(x).relu()
        return self.head((h + self.attend(h, h, h, need_weights=False)[0]).mean(1))


def of_torch(d):
    return Block(d, nn.MultiheadAttention(d, HEADS, batch_first=True))


def of_layers(d):
    return Block(d, Plain(d))


def test_its_layers_are_found_in_order_with_their_own_fan_in():
    layers = find_layers(of_torch(16), X.float())
    assert [layer.name for layer in layers] == [
        "stem",
        *(f"attend.{kind}_proj" for kind in ("q", "k", "v", "out")),
        "head",
    ]
    assert [(layer.fan_in, layer.fan_out) for layer in layers[1:5]] == [(16, 16)] * 4
    assert [layer.readout for layer in layers] == [False] * 5 + [True]
    assert layers == find_layers(of_torch(16), layers=["stem", "attend", "head"])


@pytest.mark.parametrize("name", ["dynamic", "spectral", "standard"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_it_is_set_as_attention_of_four_layers_is(name, optimizer):
    """Three matrices in one parameter have the values, the rates and the numbers of three."""
    settings = {"learning_rate": 1e-2, "sample_input": X.float(), "optimizer": optimizer}
    one, three = of_torch(16), of_layers(16)
    ours = dynparam.apply(one, name, **settings)
    theirs = dynparam.apply(three, name, **settings)
    together = torch.cat([getattr(three.attend, f"{kind}_proj").weight for kind in ("q", "k", "v")])
    assert torch.equal(one.attend.in_proj_weight, together)
    rates = {setting.name: setting.learning_rate for setting in theirs.settings}
    for setting in ours.settings:
        named = setting.name.replace("in_proj_", "q_proj.")
        assert setting.learning_rate == rates[named]
    assert len(ours.settings) == len(theirs.settings) - 4


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_check_measures_the_same_as_of_four_layers(optimizer):
    tables = [
        dynparam.coordinate_check(
            make, (8, 16), sample_input=X, target=X[:, 0, :2], seeds=2, steps=2, optimizer=optimizer
        ).table
        for make in (of_torch, of_layers)
    ]
    measured = ["preactivation_rms", "update_rms", "gradient_norm", "alignment"]
    assert list(tables[0]["name"]) == list(tables[1]["name"])
    assert torch.allclose(*(torch.tensor(table[measured].to_numpy()) for table in tables), rtol=1e-6)


def test_keys_and_values_of_another_width_have_their_own_fan_in():
    class Cross(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend, self.head = attention(kdim=6, vdim=4), nn.Linear(D, 2, dtype=F64)

        def forward(self, x, k, v):
            return self.head(self.attend(x, k, v)[0])

    inputs = CASES["other_widths"][1]
    applied = dynparam.apply(Cross(), "spectral", learning_rate=0.1, sample_input=inputs)
    fan_in = {one.name: one.fan_in for one in applied.settings}
    assert [fan_in[f"attend.{kind}_proj_weight"] for kind in ("q", "k", "v")] == [8, 6, 4]


def test_an_encoder_layer_of_torch_is_set_and_measured():
    """Its fused path, taken in evaluation mode without gradients, would call no layer."""

    def make(d):
        layer = nn.TransformerEncoderLayer(d, HEADS, 2 * d, dropout=0.0, batch_first=True)
        return nn.Sequential(nn.TransformerEncoder(layer, 2), nn.Linear(d, 2)).eval()

    check = dynparam.coordinate_check(
        lambda d: nn.Sequential(nn.Linear(D, d), make(d)),
        (8, 16),
        sample_input=X,
        target=torch.ones(BATCH, LENGTH, 2),
        seeds=2,
    )
    assert len(check.table["name"].unique()) == 1 + 2 * 6 + 1


def test_attention_may_be_left_as_it_is():
    model = of_torch(16)
    before = model.attend.in_proj_weight.clone()
    applied = dynparam.apply(
        model, "dynamic", learning_rate=0.1, sample_input=X.float(), unchanged=["attend"]
    )
    assert [layer.name for layer in applied.layers] == ["stem", "head"]
    assert torch.equal(model.attend.in_proj_weight, before)
    assert sum(setting.role == "unchanged" for setting in applied.settings) == 4


def test_layers_in_one_parameter_have_one_gain():
    gain = {f"attend.{kind}_proj": 1.0 for kind in ("q", "k", "v")}
    options = {"learning_rate": 0.1, "sample_input": X.float()}
    dynparam.apply(of_torch(16), "dynamic", gain=gain, **options)
    with pytest.raises(ConfigError, match="q_proj, k_proj and v_proj the same"):
        dynparam.apply(of_torch(16), "dynamic", gain={"attend.q_proj": 1.0}, **options)


def test_attention_that_is_called_twice_is_told_of_once():
    model = of_torch(16)

    def forward(x):
        once = model.attend(*[model.stem(x)] * 3)[0]
        return model.head(model.attend(*[once] * 3)[0])

    model.forward = forward
    with pytest.raises(ModelError, match=r"attend \(MultiheadAttention\) is executed 2 times") as caught:
        dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=X.float())
    assert str(caught.value).count("attend (MultiheadAttention)") == 1


# Embeddings.


def text(n, **options):
    return nn.Sequential(nn.Embedding(7, n, **options), nn.Linear(n, n), nn.ReLU(), nn.Linear(n, 2))


TOKENS = torch.tensor([[0, 3], [2, 6], [1, 5], [4, 4]])


def test_an_embedding_is_a_layer_on_one_hot_inputs():
    """Its rows are the columns of a linear layer that sums one entry: same values, rates and steps."""
    applied = dynparam.apply(text(32), "dynamic", learning_rate=0.1, sample_input=TOKENS)
    first = applied.settings[0]
    assert (first.fan_in, first.fan_out, first.role) == (1, 32, "hidden")
    one_input = nn.Sequential(nn.Linear(1, 32, bias=False), *list(text(32))[1:])
    expected = dynparam.apply(one_input, "dynamic", learning_rate=0.1, sample_input=torch.ones(1, 1))
    assert (first.init_std, first.learning_rate) == (
        expected.settings[0].init_std,
        expected.settings[0].learning_rate,
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_theory_knows_a_model_behind_an_embedding(optimizer):
    """Fixed seeds; at 95 % each of a dozen intervals misses its exponent once in twenty draws."""
    check = dynparam.coordinate_check(
        text,
        (32, 128, 512),
        sample_input=TOKENS,
        target=torch.ones(4, 2, 2),
        learning_rate=1e-3,
        optimizer=optimizer,
        seeds=10,
    )
    assert check.why_no_orders is None
    assert check.verdict == "holds"


def test_the_row_of_padding_stays_zero():
    model = text(8, padding_idx=3)
    applied = dynparam.apply(model, "dynamic", learning_rate=0.1, sample_input=TOKENS)
    model(TOKENS).square().sum().backward()
    applied.optimizer().step()
    assert not model[0].weight[3].any()
    assert model[0].weight[[0, 1, 2, 4, 5, 6]].all()
