"""The measured laziness index: both engines, against finite differences and theory."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP
from dynparam.experiments.lazy_or_rich import indices
from dynparam.experiments.lazy_or_rich.tables import INDEX
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.theory.laziness import laziness_index
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.trials.log import TrialLog
from tests.lazy import lazy


@pytest.fixture(scope="module")
def block():
    return lazy(index__trials=24, index__dense_trials=24, index__dense_widths=grid(64, 128))


def grid(smallest, largest):
    return {"smallest": smallest, "largest": largest, "count": 2}


@pytest.fixture(scope="module")
def table(block, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    return indices.measure(block, "constant_ratio", TrialLog(folder / "i.csv", "i", "settings"))


def test_the_table_has_its_form(table, tmp_path):
    INDEX.check(table, tmp_path / "t.csv", family="constant_ratio")
    assert len(table) == 2 * 2 * len(NAMES) * 24 * 3
    assert (table["n_min"] == table["n"] // 4).all()


def test_both_engines_follow_theory(table):
    """Mean logarithms of 24 trials, within four standard errors and 0.1 for terms of 1/n_min = 1/16."""
    for place, rows in table.groupby(["engine", "parametrization", "n", "layer"]):
        logs = np.log(rows["index"] / rows["expected"])
        assert abs(logs.mean()) < 4 * logs.std() / math.sqrt(24) + 0.1, place


def test_parametrizations_share_their_draws(table):
    """ntk and dynamic are one network with an output scale: their indices are as those of theory.

    In most trials to the second order of the step. In some a unit of the narrow layer changes its sign.
    """
    law = table[table["engine"] == "law"].pivot(
        index=["n", "trial", "layer"], columns="parametrization", values="index"
    )
    root_of_n_min = np.sqrt(law.index.get_level_values("n") / 4)
    off = abs(law["dynamic"] / law["ntk"] / root_of_n_min - 1)
    assert off.median() < 1e-3
    assert off.max() < 0.3


def test_a_dense_trial_is_the_finite_difference_of_its_network():
    """The index of a drawn network from its own gradient by autograd, at two steps far smaller."""
    small = lazy(index__move=1e-6, index__dense_trials=2)
    widths = small.network("constant_ratio", 64, small.index.hidden)
    rows = indices._rows(small, "constant_ratio", "dense", 64)
    assert len(rows) == len(NAMES) * 2 * len(widths.hidden)
    for name in NAMES:
        for trial in range(2):
            measured = [r["index"] for r in rows if (r["parametrization"], r["trial"]) == (name, trial)]
            for step in (1e-7, 1e-8):
                expected = _finite_difference(small, widths, name, trial, step)
                np.testing.assert_allclose(measured, expected, rtol=2e-3)


def _finite_difference(block, widths, name, trial, step):
    """The same draw: the input first, then standard normal weights in float32."""
    random = torch_generator(block.seed, "laziness index", "constant_ratio", 64, trial)
    x = torch.randn(widths.sizes[0], dtype=torch.float64, generator=random)
    x *= math.sqrt(widths.sizes[0]) / x.norm()
    scales = layer_scales(name, widths)
    weights = [
        std * torch.randn(fan_out, fan_in, generator=random).double()
        for (fan_in, fan_out), std in zip(widths.layers(), scales.init_std, strict=True)
    ]
    model = MLP(weights, scales.multiplier)
    gradients = torch.autograd.grad(model(x[None]).sum(), list(model.parameters()))
    before = [z.detach() for z in model.preactivations(x[None])]
    step /= sum(float(one.square().sum()) for one in gradients)
    other = MLP([w + step * g for w, g in zip(weights, gradients, strict=True)], scales.multiplier)
    after = [z.detach() for z in other.preactivations(x[None])]
    change = [float((b - a).norm() / len(a[0]) ** 0.5) for a, b in zip(before, after, strict=True)]
    size = [float(a.norm() / len(a[0]) ** 0.5) for a in before]
    return np.divide(change, size)[:-1] / change[-1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [64, 10**6])
def test_the_learning_rate_moves_nothing_by_more_than_asked_for(name, n, block):
    widths = block.network("sharpening", n, block.index.hidden)
    scales = layer_scales(name, widths)
    rate = indices.learning_rate(widths, scales, 12.0, 1e-3)
    rho = laziness_index(widths, scales, 12.0)[:-1].max()
    output = rate * _kernel(widths, scales) * 12.0
    assert max(output, output * rho) == pytest.approx(1e-3)


def _kernel(widths, scales):
    """Theta / |x|^2 from the layers' sizes (S1), in the mean."""
    n, s = widths.sizes, scales.signal
    forward, backward = [1.0], [1.0]
    for layer in range(1, widths.depth):
        forward.append(n[layer] * s[layer - 1] ** 2 * forward[-1] / 2)
        backward.insert(0, n[-layer - 1] * s[-layer] ** 2 * backward[0] / 2)
    parts = zip(scales.multiplier, forward, backward, strict=True)
    return sum(g**2 * p * d for g, p, d in parts)


def test_trials_do_not_depend_on_how_many_are_taken_at_once(monkeypatch):
    five = lazy(index__trials=5)
    found = []
    for together in (1, 3, 10):
        monkeypatch.setattr(indices, "AT_ONCE", together)
        found.append(indices._rows(five, "sharpening", "law", 64))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(NAMES) * 5 * len(five.index.hidden)


@pytest.mark.parametrize("engine", indices.ENGINES)
def test_a_network_whose_output_cannot_move_is_told(engine, tmp_path):
    """Of two narrow layers of one unit, one is inactive in three of four networks."""
    narrow = {"coefficient": "1/64", "exponent": 1}
    block = lazy(
        families={"constant_ratio": narrow, "sharpening": narrow},
        kernel_change__widths={name: grid(64, 128) for name in ("constant_ratio", "sharpening")},
        index__hidden=["wide", "narrow", "wide", "narrow", "wide"],
        index__widths=grid(64, 128),
        index__trials=20,
        index__dense_widths=grid(64, 128),
        index__dense_trials=20,
    )
    with pytest.raises(NonFiniteError, match=r"ntk, n = 64, trial \d+ is infinite.*raise the smallest"):
        indices._rows(block, "constant_ratio", engine, 64)


def test_each_engine_has_its_own_widths_and_trials(tmp_path):
    own = lazy(index__trials=3, index__dense_trials=2, index__widths=grid(64, 256))
    table = indices.measure(own, "sharpening", TrialLog(tmp_path / "i.csv", "i", "settings"))
    counts = table.groupby(["engine", "n"])["trial"].nunique()
    assert counts.to_dict() == {("law", 64): 3, ("law", 256): 3, ("dense", 16): 2, ("dense", 64): 2}


@pytest.mark.parametrize(("size", "output"), [(0.0, 0.5), (2.0, 0.0), (0.0, 0.0)])
def test_a_layer_without_a_size_and_an_output_that_stays_are_both_told(size, output):
    step = SimpleNamespace(preactivation_rms=(1.0, size), update_rms=(1.0, 3.0, output))
    with pytest.raises(NonFiniteError, match="the laziness index of here is infinite"):
        indices._index(step, 1, "here")
    whole = SimpleNamespace(preactivation_rms=(1.0, 2.0), update_rms=(1.0, 3.0, 0.5))
    assert indices._index(whole, 1, "here") == 3.0


@pytest.mark.parametrize("engine", indices.ENGINES)
def test_another_seed_family_or_trial_is_another_draw(engine):
    """At n = 64 both families have n_min = 16, so that the same numbers would give the same indices."""
    drawn = [
        (lazy(seed=seed, index__trials=2), family)
        for seed, family in ((0, "constant_ratio"), (1, "constant_ratio"), (0, "sharpening"))
    ]
    assert len({block.network(family, 64, ("narrow",)) for block, family in drawn}) == 1
    found = [
        row["index"]
        for block, family in drawn
        for row in indices._rows(block, family, engine, 64)
        if row["parametrization"] == "ntk"
    ]
    assert len(found) == len(set(found)) == 3 * 2 * 3
