"""Residuals of descents: their beginnings, their draws, and a network of linear algebra alone."""

import numpy as np
import pytest
import torch

from dynparam.experiments.natural_gradient import measure
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.theory.natural_gradient import APPROXIMATIONS, speed
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from tests import natural

SETTINGS = natural.trials()
PAIR = natural.images()


@pytest.fixture(scope="module")
def table():
    return measure.measure(SETTINGS, PAIR)


def test_every_step_of_every_network_is_there(table):
    own = SETTINGS.natural_gradient
    counts = table.groupby("part").size()
    several = own.trials * 2 * (len(APPROXIMATIONS) + 2) * own.steps
    assert counts["gaussian"] == counts["images"] == several
    assert counts["one_step"] == own.one_step.trials * 2 * 5 * 2
    assert table["residual"].gt(0).all()
    assert not table.duplicated(list(measure.COLUMNS[:-1])).any()


def test_a_trial_does_not_depend_on_how_many_there_are(table):
    fewer = measure.measure(
        natural.trials(
            gaussian={**natural.SMALL["gaussian"], "tolerances": {"exact": 1}, "widths": [30, 31]},
            steps=1,
        ),
        PAIR,
    )
    chosen = "part == 'gaussian' and n == 30 and method == 'exact' and step == 1"
    assert np.array_equal(fewer.query(chosen)["residual"], table.query(chosen)["residual"])


def network(name="ntk", sizes=(12, 40, 40, 1)):
    widths = Widths(sizes)
    scales = layer_scales(name, widths)
    return measure.scaled(measure.draw(0, "test", widths, 40, 0), scales), scales


def test_a_trial_has_the_same_inputs_at_every_width_and_others_have_others():
    first = measure.gaussian_data(0, "gaussian", 0, 5, 7)
    again = measure.gaussian_data(0, "gaussian", 0, 5, 7)
    other = measure.gaussian_data(0, "gaussian", 1, 5, 7)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert set(first[1].flatten().tolist()) <= {1.0, -1.0}


def test_images_of_both_classes_have_their_targets():
    x, y = measure.image_data(SETTINGS, PAIR, 0)
    assert x.shape == (6, 3072)
    assert y.sum() == 0
    for image, target in zip(x, y[:, 0], strict=True):
        place = np.argmin(
            [np.abs((one.ravel() / 255 - 0.5) / 0.5 - image.numpy()).max() for one in PAIR.train_images]
        )
        assert target == 1 - 2 * int(PAIR.train_labels[place])


def test_gradient_descent_is_autograd_s():
    """Three steps by torch's own optimizer."""
    weights, scales = network()
    data = measure.gaussian_data(0, "gaussian", 0, 6, 12)
    left = measure.descend("gradient", weights, scales, data, 0.3, 3)
    own = [w.clone().requires_grad_() for w in weights]
    optimizer, first = torch.optim.SGD(own, lr=0.3), None
    for taken in range(4):
        h = data[0]
        for w, g in zip(own[:-1], scales.multiplier, strict=False):
            h = torch.relu(g * h @ w.T)
        residual = scales.multiplier[-1] * h @ own[-1].T - data[1]
        size = residual.norm().item()
        first = size if first is None else first
        if taken:
            assert left[taken - 1] == pytest.approx(size / first, rel=1e-10)
        optimizer.zero_grad()
        (residual.square().sum() / 2 / 6).backward()
        optimizer.step()


@pytest.mark.parametrize("method", APPROXIMATIONS)
def test_small_steps_follow_theory_at_any_width(method):
    """Steps of c = 1e-4: nothing but the speed is left of an approximation."""
    weights, scales = network()
    data = measure.gaussian_data(0, "gaussian", 0, 6, 12)
    before = [w.clone() for w in weights]
    left = measure.descend(method, weights, scales, data, 1e-4, 2)
    assert left == pytest.approx([1 - 1e-4, (1 - 1e-4) ** 2], abs=3e-7)
    assert all(torch.equal(a, b) for a, b in zip(before, weights, strict=True))


def test_the_control_forgets_how_many_layers_there_are():
    weights, scales = network()
    data = measure.gaussian_data(0, "gaussian", 0, 6, 12)
    (left,) = measure.descend("unscaled", weights, scales, data, 1e-4, 1)
    assert left == pytest.approx(1 - 3e-4, abs=1e-6)
    assert speed("block_diagonal", 3, 6) == 3


def test_the_same_function_has_the_same_residuals_by_ntk_and_standard(table):
    rows = table[(table["part"] == "one_step")].pivot(
        index=["method", "n", "trial"], columns="scales", values="residual"
    )
    assert np.allclose(rows["ntk"]["block_diagonal"], rows["standard"]["block_diagonal"], rtol=1e-9)
    assert not np.allclose(rows["ntk"]["exact"], rows["standard"]["exact"], rtol=1e-4)


def test_a_descent_that_runs_away_is_told_with_its_step():
    weights, scales = network("spectral")
    data = measure.gaussian_data(0, "gaussian", 0, 6, 12)
    with pytest.raises(NonFiniteError, match=r"not finite after step \d+ of gradient"):
        measure.descend("gradient", weights, scales, data, 1e6, 200)


def test_equal_inputs_and_too_few_images_are_told():
    weights, scales = network()
    x, y = measure.gaussian_data(0, "gaussian", 0, 6, 12)
    x[1] = x[0]
    with pytest.raises(DataError, match="singular, of rank 5 in place of 6"):
        measure.descend("exact", weights, scales, (x, y), 0.3, 1)
    with pytest.raises(DataError, match="3 images per class are asked for and 2 are available"):
        measure.image_data(SETTINGS, natural.images(4), 0)
