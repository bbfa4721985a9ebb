"""What is measured of deep networks, at a few tens of units."""

import numpy as np
import pytest
import torch

from dynparam.engines import empirical_ntk
from dynparam.engines.network import draw_weights
from dynparam.experiments.isometry import measure, network
from dynparam.experiments.isometry.bottlenecks import bottleneck_widths
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory.isometry import isometry as theory
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
    widths = bottleneck_widths(OWN.bottlenecks, 4)
    assert widths.sizes == (10, 12, 4, 12, 1)
    scales = layer_scales(name, widths)
    random = torch_generator(OWN.seed, "isometry", "bottleneck", 4, 1)
    weights = draw_weights(widths, scales, random, torch.float64)
    x = torch.randn(2, 10, dtype=torch.float64, generator=random)
    x *= 10**0.5 / x.norm(dim=1, keepdim=True)
    expected = empirical_ntk.ntk(weights, scales.multiplier, x)[0, 0, 0, 0].item()
    found = values(table, part="bottleneck", depth=4, kind=name, trial=1)
    assert found[0] == pytest.approx(expected, rel=1e-12)


OTHER = isometry.settings(
    three_layers={"units": 50, "clipped": 0.6},
    control_depth=5,
    near=0.3,
)


@pytest.fixture(scope="module")
def other():
    return measure.measure(OTHER)


def random(*coordinates):
    return np.random.default_rng(seed_sequence(OTHER.seed, "isometry", *coordinates))


@pytest.mark.parametrize(
    ("part", "depth", "kind"),
    [
        ("spectrum", 4, "orthogonal"),
        ("spectrum", 6, "orthogonal"),
        ("three", 3, "orthogonal"),
        ("control", 5, "gaussian"),
    ],
)
def test_every_quantity_is_that_of_the_network_drawn(other, part, depth, kind):
    """Three layers have units and a c of their own; what is near is another share than what is equal."""
    units, clipped = (50, 0.6) if part == "three" else (OTHER.units, OTHER.clipped)
    model, draw = theory(depth, clipped), getattr(network, kind)
    for trial in range(OTHER.trials):
        passed = network.pass_once(model, units, random(part, depth, trial), draw)
        found = np.linalg.eigvalsh(passed.fisher)
        equal = found > found[-1] * (1 - 1e-9)
        expected = {
            "largest": found[-1],
            "mean": found.mean(),
            "multiplicity": equal.sum(),
            "top": equal.mean(),
            "near": (found >= 0.7 * found[-1]).mean(),
        }
        if part != "control":
            squares = passed.mean_squares
            expected |= {
                "exact": sum(one / model.linear ** (depth - 1 - k) for k, one in enumerate(squares)),
                "unclipped": units - passed.clipped,
                "lowest": (found < found[0] * (1 + 1e-9)).mean(),
            }
            assert expected["near"] > expected["top"] > 1 / units
        mine = other[(other["part"] == part) & (other["depth"] == depth) & (other["trial"] == trial)]
        whole = mine[mine["quantity"] == "eigenvalue"].sort_values("rank")["value"]
        if trial == 0 and part != "control":
            assert whole.tolist() == pytest.approx(found[::-1].tolist())
        else:
            assert whole.empty
        told = mine[mine["quantity"] != "eigenvalue"].set_index("quantity")
        assert set(told["kind"]) == {kind}
        assert told["value"].to_dict() == pytest.approx(expected)


def test_what_is_equal_differs_by_rounding_only():
    found = measure._top(np.array([10.0, 10 - 1e-9, 10 - 1e-7, 9.1, 8.9, 1.0]), 0.1)
    assert found == pytest.approx(
        {"largest": 10.0, "mean": 49 / 6, "multiplicity": 2, "top": 1 / 3, "near": 2 / 3}
    )


@pytest.mark.parametrize("depth", [4, 6])
def test_rates_are_in_units_of_the_largest_eigenvalue_of_their_network(other, depth):
    own = OTHER.descent
    for trial in range(own.trials):
        generator = random("descent", depth, trial)
        stored = network.draw_whole(theory(depth, OTHER.clipped), own.units, generator)
        targets = network.outputs(stored) + own.noise * generator.normal(size=own.units)
        largest = np.linalg.eigvalsh(network.tangent_kernel(stored))[-1]
        rate = network.largest_stable_rate(stored, targets, 1 / largest, own.steps)
        (found,) = values(other, part="descent", depth=depth, trial=trial, quantity="rate")
        assert found == pytest.approx(rate)
        (found,) = values(other, part="descent", depth=depth, trial=trial, quantity="largest")
        assert found == pytest.approx(largest / own.units)


def test_wide_and_narrow_layers_alternate_from_a_wide_one_on():
    sizes = [bottleneck_widths(OTHER.bottlenecks, depth).sizes for depth in (2, 3, 4, 5)]
    assert sizes == [(10, 12, 1), (10, 12, 4, 1), (10, 12, 4, 12, 1), (10, 12, 4, 12, 4, 1)]
