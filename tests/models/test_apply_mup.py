"""``apply(model, "mup")`` against Microsoft's ``mup`` at equal hidden widths n.

``mup`` knows a base width m at which it changes nothing, and multiplies the readout's input by m / n in
its forward pass. Its effective readout weight is therefore V = (m / n) W, with (m / n)^2 times the
learning rate of W. At equal hidden widths both packages then set the same, up to constants that depend
on n_0 and m and not on n. The learning rates of dynparam over those of mup are

    first weight m / n_0,  hidden weights 1,  readout 1 / m,  hidden biases m,  the readout's bias 1

and of initial deviations, with kaiming_normal_ there, 1 for all weights but 1 / sqrt(m) for the readout.
"""

import math

import mup
import pytest
import torch
from torch import nn

import dynparam
from dynparam.support.errors import ModelError
from tests.tolerances import EXACT_ALGEBRA, TRAJECTORY

F64 = torch.float64
N_IN, N_OUT, BASE = 5, 3, 4
NAMES = [
    f"{layer}.{kind}" for kind in ("weight", "bias") for layer in ("first", "second", "third", "head")
]
RATE = {
    "first.weight": BASE / N_IN,
    "second.weight": 1,
    "third.weight": 1,
    "head.weight": 1 / BASE,
    "first.bias": BASE,
    "second.bias": BASE,
    "third.bias": BASE,
    "head.bias": 1,
}
STD = {"first.weight": 1, "second.weight": 1, "third.weight": 1, "head.weight": 1 / math.sqrt(BASE)}


class MLP(nn.Module):
    def __init__(self, n, readout=nn.Linear):
        super().__init__()
        self.first = nn.Linear(N_IN, n, dtype=F64)
        self.second = nn.Linear(n, n, dtype=F64)
        self.third = nn.Linear(n, n, dtype=F64)
        self.head = readout(n, N_OUT, dtype=F64)

    def forward(self, x):
        for layer in (self.first, self.second, self.third):
            x = layer(x).relu()
        return self.head(x)


def ours(n, eta=0.1, seed=0):
    model = MLP(n)
    return model, dynparam.apply(
        model,
        "mup",
        learning_rate=eta,
        sample_input=torch.zeros(1, N_IN, dtype=F64),
        seed=seed,
        zero_biases=False,
    )


def theirs(n, seed=0):
    """A model of mup, initialized by its own rules with the same normal numbers in the same order."""
    model = MLP(n, mup.MuReadout)
    mup.set_base_shapes(model, MLP(BASE, mup.MuReadout), delta=MLP(BASE + 1, mup.MuReadout))
    parameters = dict(model.named_parameters())
    torch.manual_seed(seed)
    for name in NAMES:
        if name.endswith("bias"):
            mup.init.normal_(parameters[name], std=1.0)
        else:
            kind = "linear" if name.startswith("head") else "relu"
            mup.init.kaiming_normal_(parameters[name], nonlinearity=kind)
    return model


def their_rates(model, eta=0.1):
    """The learning rate of each parameter by MuSGD, of the readout's in terms of V."""
    rate = {
        id(parameter): group["lr"]
        for group in mup.MuSGD(model.parameters(), lr=eta).param_groups
        for parameter in group["params"]
    }
    rates = {name: rate[id(parameter)] for name, parameter in model.named_parameters()}
    return rates | {"head.weight": rates["head.weight"] / model.head.width_mult() ** 2}


@pytest.fixture(autouse=True)
def random_state():
    """``mup`` draws from torch's global generator."""
    with torch.random.fork_rng():
        yield


@pytest.mark.parametrize("n", [4, 8, 32, 128])
def test_learning_rates_are_those_of_musgd_up_to_constants(n):
    _, applied = ours(n)
    expected = their_rates(theirs(n))
    for setting in applied.settings:
        ratio = setting.learning_rate / expected[setting.name]
        assert ratio == pytest.approx(RATE[setting.name], rel=EXACT_ALGEBRA[F64]), setting.name


@pytest.mark.parametrize("n", [4, 8, 32, 128])
def test_initial_weights_are_those_of_mup_up_to_constants(n):
    mine, other = ours(n)[0], theirs(n)
    for name, constant in STD.items():
        weight, theirs_weight = mine.get_parameter(name), other.get_parameter(name)
        if name == "head.weight":
            theirs_weight = theirs_weight / other.head.width_mult()
        torch.testing.assert_close(weight, constant * theirs_weight, rtol=1e-12, atol=0)


@pytest.mark.parametrize("n", [4, 8, 32, 128])
def test_initial_biases_follow_equation_2_2(n):
    """sqrt(2) for hidden ones at any width, as with mup; 1 / sqrt(n) for the readout's.

    There mup has a constant, but the thesis draws a bias like the weights of its layer.
    """
    _, applied = ours(n)
    for setting in applied.settings:
        if setting.parameter == "bias":
            expected = 1 / math.sqrt(n) if setting.layer == "head" else math.sqrt(2)
            assert setting.init_std == pytest.approx(expected, rel=EXACT_ALGEBRA[F64])


def steps(model, optimizer, count=10):
    """The outputs (count, 16, n_L) during training on invented data."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(16, N_IN, dtype=F64, generator=generator)
    y = torch.randn(16, N_OUT, dtype=F64, generator=generator)
    outputs = []
    for _ in range(count):
        output = model(x)
        outputs.append(output.detach())
        optimizer.zero_grad()
        (0.5 * (output - y).square().sum(1)).mean().backward()
        optimizer.step()
    return torch.stack(outputs)


def pair_of_runs(n, constants, eta=0.05):
    """Ours, and MuSGD from the same values with each learning rate times its constant."""
    model, applied = ours(n, eta)
    other = theirs(n)
    with torch.no_grad():
        for name, parameter in other.named_parameters():
            scale = other.head.width_mult() if name == "head.weight" else 1
            parameter.copy_(model.get_parameter(name) * scale)
    groups = [
        {"params": [parameter], "lr": eta * constants[name]}
        for name, parameter in other.named_parameters()
    ]
    mine = steps(model, torch.optim.SGD(applied.parameter_groups, momentum=0.9))
    return mine, steps(other, mup.MuSGD(groups, lr=eta, momentum=0.9))


@pytest.mark.parametrize("n", [8, 32])
def test_trajectories_are_those_of_musgd(n):
    mine, expected = pair_of_runs(n, RATE)
    assert float((mine[-1] - mine[0]).abs().max()) > 0.1
    assert float((mine - expected).abs().max()) < TRAJECTORY[F64] * float(expected.abs().max())


def test_a_constant_left_out_shows():
    mine, expected = pair_of_runs(8, RATE | {"second.bias": 1})
    assert float((mine - expected).abs().max()) > 1e3 * TRAJECTORY[F64] * float(expected.abs().max())


def test_a_model_with_their_readout_is_refused():
    """MuReadout multiplies in its forward pass, so its weight does not mean what a Linear's does."""
    model = theirs(8)
    with pytest.raises(ModelError, match=r"head \(MuReadout\) does not compute"):
        dynparam.apply(model, "mup", learning_rate=0.1, sample_input=torch.randn(2, N_IN, dtype=F64))
