"""What is measured of attentional Boltzmann machines, on some tens of vectors."""

import numpy as np
import pytest

from dynparam.experiments.attentional_boltzmann import measure
from dynparam.support.errors import DataError
from dynparam.theory.attentional_boltzmann import growth_factor
from tests import boltzmann

OWN = boltzmann.settings()


@pytest.fixture(scope="module")
def table():
    return measure.measure(OWN)


def values(table, **chosen):
    for name, value in chosen.items():
        table = table[table[name] == value]
    return table.sort_values(["trial", "at"])["value"].to_numpy()


def test_every_part_is_measured(table):
    trials = table.groupby(["part", "kind", "hidden"])["trial"].nunique()
    assert dict(trials) == {
        ("escape", "fixed", 2): 2,
        ("escape", "fixed", 4): 2,
        ("escape", "proportional", 2): 2,
        ("escape", "proportional", 4): 2,
        ("growth", "centred", 4): 2,
        ("growth", "centred", 16): 2,
        ("growth", "shifted", 4): 2,
        ("growth", "shifted", 16): 2,
        ("mixture", "apart", 3): 3,
        ("mixture", "overlapping", 3): 3,
        ("partition", "normal", 3): 2,
    }
    assert np.isfinite(table["value"]).all()


@pytest.mark.parametrize("hidden", [4, 16])
def test_growth_is_that_of_theory_around_the_mean(table, hidden):
    found = values(table, part="growth", kind="centred", hidden=hidden, quantity="factor").reshape(2, 6)
    expected = growth_factor(OWN.eigenvalues, OWN.growth.rate, hidden)
    assert np.allclose(found, expected, atol=1e-4)
    beside = values(table, part="growth", kind="shifted", hidden=hidden, quantity="factor", at=1)
    assert (beside > expected[0] + 0.01).all()


def test_fewest_hidden_units_have_the_same_rate_either_way(table):
    steps = [
        values(table, part="escape", kind=kind, hidden=2, quantity="steps") for kind in measure.KINDS
    ]
    assert np.array_equal(*steps)
    fixed, proportional = (
        values(table, part="escape", kind=kind, hidden=4, quantity="expected") for kind in measure.KINDS
    )
    assert (fixed > 1.5 * proportional).all()


def test_steps_follow_theory_from_the_drawn_start(table):
    steps, expected = (
        values(table, part="escape", quantity=quantity) for quantity in ("steps", "expected")
    )
    assert np.allclose(steps, expected, rtol=0.15)
    assert (steps == np.round(steps)).all()


def test_attention_picks_one_of_gaussians_apart(table):
    apart = values(table, part="mixture", kind="apart", quantity="attention")
    overlapping = values(table, part="mixture", kind="overlapping", quantity="attention")
    assert (apart > 0.999).all()
    assert ((overlapping > 1 / 3) & (overlapping < 0.9)).all()


def test_the_partition_function_is_estimated(table):
    """500 draws each, whose error is some 3 %."""
    assert np.allclose(values(table, part="partition"), 1.0, atol=0.15)


def test_a_trial_does_not_depend_on_how_many_there_are(table):
    more = measure.measure(boltzmann.settings(growth=boltzmann.SMALL["growth"] | {"trials": 3}))
    same = more[more["trial"] < 2]
    assert np.array_equal(values(same, part="growth"), values(table, part="growth"))


def test_a_machine_that_does_not_learn_in_time_is_told():
    own = boltzmann.settings(escape=boltzmann.SMALL["escape"] | {"steps": 10})
    with pytest.raises(
        DataError, match=r"has not learned within 10 steps .* raise attentional_boltzmann"
    ):
        measure.measure(own)
