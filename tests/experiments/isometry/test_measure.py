"""What is measured of deep networks, at a few tens of units."""

import numpy as np
import pytest
import torch

from dynparam.engines import empirical_ntk
from dynparam.engines.network import draw_weights
from dynparam.experiments.isometry import measure
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from tests import isometry

OWN = isometry.settings()


@pytest.fixture(scope="module")
def table():
    return measure.measure(OWN)


def values(table, **chosen):
    for name, value in chosen.items():
        table = table[table[name] == value]
    return table.sort_values(["trial", "rank"])["value"].to_numpy()


def test_every_part_is_measured(table):
    trials = table.groupby(["part", "depth", "kind"])["trial"].nunique()
    assert {part for part, _, _ in trials.index} == {
        "spectrum", "three", "control", "descent", "bottleneck"
    }  # fmt: skip
    assert trials["spectrum", 4, "orthogonal"] == trials["descent", 6, "orthogonal"] == 2
    assert trials["bottleneck", 4, "dynamic"] == 3
    assert np.isfinite(table["value"]).all()


def test_the_identity_is_seen_in_every_network(table):
    for part, depth in (("spectrum", 4), ("spectrum", 6), ("three", 3)):
        largest, exact = (
            values(table, part=part, depth=depth, quantity=q) for q in ("largest", "exact")
        )
        assert np.allclose(largest, exact, rtol=1e-10)
        often, unclipped = (
            values(table, part=part, depth=depth, quantity=q) for q in ("multiplicity", "unclipped")
        )
        assert np.array_equal(often, unclipped)


def test_eigenvalues_of_the_first_trial_are_whole_and_fall(table):
    found = values(table, part="spectrum", depth=6, quantity="eigenvalue")
    assert len(found) == OWN.units
    assert np.all(np.diff(found) <= 0)
    assert found[0] == values(table, part="spectrum", depth=6, quantity="largest")[0]
    assert found.mean() == pytest.approx(values(table, part="spectrum", depth=6, quantity="mean")[0])


def test_shares_near_the_top_include_those_at_it(table):
    near, top = (values(table, part="spectrum", depth=6, quantity=q) for q in ("near", "top"))
    assert (near >= top).all()
    assert values(table, part="control", quantity="near").max() < top.min()


def test_every_network_has_random_numbers_of_its_own(monkeypatch):
    """Whatever part, depth and trial: what one network has drawn tells nothing of another."""
    first, pass_once = [], measure.network.pass_once

    def noting(network, units, generator, *more):
        """Keep where the network's generator stands."""
        first.append(str(generator.bit_generator.state["state"]))
        return pass_once(network, units, generator, *more)

    monkeypatch.setattr(measure.network, "pass_once", noting)
    measure.measure(OWN)
    assert len(first) >= 2 * (len(OWN.depths) + 2)
    assert len(set(first)) == len(first)


def test_a_trial_does_not_depend_on_how_many_there_are(table):
    more = measure.measure(isometry.settings(trials=3))
    same = more[more["trial"] < 2]
    for part in ("spectrum", "three", "control"):
        assert np.array_equal(values(same, part=part), values(table, part=part))


@pytest.mark.parametrize("name", ["ntk", "mup", "spectral", "dynamic", "standard"])
def test_one_draw_serves_every_parametrization(table, name):
    widths = measure.bottleneck_widths(OWN.bottlenecks, 4)
    assert widths.sizes == (10, 12, 4, 12, 1)
    scales = layer_scales(name, widths)
    random = torch_generator(OWN.seed, "isometry", "bottleneck", 4, 1)
    weights = draw_weights(widths, scales, random, torch.float64)
    x = torch.randn(2, 10, dtype=torch.float64, generator=random)
    x *= 10**0.5 / x.norm(dim=1, keepdim=True)
    expected = empirical_ntk.ntk(weights, scales.multiplier, x)[0, 0, 0, 0].item()
    found = values(table, part="bottleneck", depth=4, kind=name, trial=1)
    assert found[0] == pytest.approx(expected, rel=1e-12)
