"""Dynamic parametrization as ntk with an output scale: to rounding, and not at another learning rate."""

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.lazy_or_rich import identities
from dynparam.experiments.lazy_or_rich.tables import IDENTITIES
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths, bottleneck
from tests.lazy import lazy
from tests.tolerances import SAME_TRAJECTORY


@pytest.fixture(scope="module")
def table():
    return identities.measure(lazy(identities__r=["1/5", "1/2"], identities__steps=40))


def test_the_table_has_its_form(table, tmp_path):
    IDENTITIES.check(table, tmp_path / "t.csv")
    assert table["identity"].value_counts().to_dict() == {"kernel": 2, "outputs": 4, "control": 4}


def test_both_identities_hold_to_rounding_and_are_no_tautology(table):
    """Nor zero throughout: the sums of one side are rounded otherwise than those of the other."""
    exact = table[table["identity"] != "control"]
    assert exact["difference"].max() < SAME_TRAJECTORY
    assert exact["difference"].max() > 0


def test_the_control_is_another_trajectory(table):
    assert table.loc[table["identity"] == "control", "difference"].min() > 0.1


def test_a_trajectory_is_gradient_descent_written_out():
    """Momentum as torch has it: v <- mu v + gradient, W <- W - eta v; two steps of one linear layer."""
    scales, widths = layer_scales("ntk", Widths((3, 4, 1))), Widths((3, 4, 1))
    weights = draw_weights(widths, scales, torch_generator(0, "t"), torch.float64)
    images = torch.eye(3, dtype=torch.float64)[:2]
    targets = torch.tensor([1.0, -1.0], dtype=torch.float64)
    found = identities.trajectory(MLP(weights, scales.multiplier), 0.5, images, targets, 0.1, 0.9, 2)
    w = [one.clone().requires_grad_() for one in weights]
    velocity = [torch.zeros_like(one) for one in w]
    seen = []
    for _ in range(3):
        h = (scales.multiplier[0] * images @ w[0].T).relu()
        f = 0.5 * scales.multiplier[1] * (h @ w[1].T)[:, 0]
        seen.append(f.detach().numpy())
        gradients = torch.autograd.grad((f - targets).square().mean() / 2, w)
        for at, one in enumerate(gradients):
            velocity[at] = 0.9 * velocity[at] + one
        w = [(a - 0.1 * v).detach().requires_grad_() for a, v in zip(w, velocity, strict=True)]
    np.testing.assert_allclose(found.numpy(), seen, rtol=1e-12)


def test_rates_are_half_of_the_stable_ones_and_less_with_momentum(monkeypatch):
    """In units of T over the trace; with momentum mu a step is taken 1 / (1 - mu) times over."""
    seen = []
    monkeypatch.setattr(
        identities, "trajectory", lambda *given: seen.append(given[1:]) or torch.ones(2, 1)
    )
    block = lazy(identities__r=["1/4"], identities__momenta=[0, 0.9])
    identities.measure(block)
    widths = bottleneck(20, 6, hidden=block.index.hidden, n_in=12, n_out=1)
    scales = layer_scales("dynamic", widths, 0.25)
    random = torch_generator(0, "identities", "weights")
    model = MLP(draw_weights(widths, scales, random, torch.float64), scales.multiplier)
    images = seen[0][1]
    trace = 0.0
    for image in images:
        gradients = torch.autograd.grad(model(image[None]).sum(), list(model.parameters()))
        trace += sum(float(one.square().sum()) for one in gradients)
    plain, slow = 0.5 * 8 / trace, 0.05 * 8 / trace
    alpha = 6**-0.25
    expected = [
        *[(1.0, plain, 0.0), (alpha, plain / alpha**2, 0.0), (1.0, plain, 0.0), (alpha, plain, 0.0)],
        *[(1.0, slow, 0.9), (alpha, slow / alpha**2, 0.9), (1.0, slow, 0.9), (alpha, slow, 0.9)],
    ]
    found = [(factor, rate, momentum) for factor, _, _, rate, momentum, _ in seen]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("place", [(0, 0, 1), (1, 1, 1)])
def test_kernels_differ_by_the_largest_entry_of_any_layer_in_its_units(monkeypatch, place):
    """Two layers whose entries are 4 and 400 at most; one of dynamic's is off by an eighth of that."""
    ntk = torch.tensor([[[1.0, 2.0], [2.0, 4.0]], [[100.0, -400.0], [-400.0, 200.0]]])
    dynamic = ntk.clone()
    dynamic[place] += (0.5, 50.0)[place[0]]
    planted = iter([dynamic, ntk])
    monkeypatch.setattr(identities, "layer_kernels", lambda *given, **named: next(planted))
    widths = bottleneck(20, 6, hidden=("wide", "narrow"), n_in=12, n_out=1)
    assert identities._kernel_difference(lazy(), widths, 0.2) == pytest.approx(0.125)


def test_outputs_differ_by_the_largest_of_any_step(monkeypatch):
    ntk = torch.tensor([[1.0, -8.0], [2.0, 3.0], [1.0, 1.0]])
    dynamic = ntk.clone()
    dynamic[1, 0] += 2.0
    dynamic[2, 0] += 1.0
    planted = iter([dynamic, ntk])
    monkeypatch.setattr(identities, "trajectory", lambda *given: next(planted))
    widths = bottleneck(20, 6, hidden=("wide", "narrow"), n_in=12, n_out=1)
    assert identities._output_difference(lazy(), widths, 0.2, 0.0, True) == 0.25


def test_another_seed_is_another_draw(table):
    of_it = identities.measure(
        lazy(seed=1, identities__r=["1/5", "1/2"], identities__steps=40, identities__momenta=[0])
    )
    controls = [one.query("identity == 'control' and momentum == 0") for one in (table, of_it)]
    assert (controls[0]["difference"].to_numpy() != controls[1]["difference"].to_numpy()).all()


def test_inputs_targets_and_weights_all_follow_from_the_seed():
    widths = bottleneck(20, 6, hidden=("wide", "narrow"), n_in=12, n_out=1)
    first, second = (identities._draws(lazy(seed=seed), widths, 0.2) for seed in (0, 1))
    assert not torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])
    assert not torch.equal(first[2][0][0], second[2][0][0])
