"""Dynamic parametrization as ntk with an output scale: to rounding, and not at another learning rate."""

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.lazy_or_rich import identities
from dynparam.experiments.lazy_or_rich.tables import IDENTITIES
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
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
