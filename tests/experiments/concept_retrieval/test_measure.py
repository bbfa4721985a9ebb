"""What is measured of repeated inference, on some hundred patterns of eight numbers."""

import numpy as np
import pytest

from dynparam.experiments.concept_retrieval import measure
from dynparam.experiments.concept_retrieval.clusters import drawn, modes_above
from dynparam.experiments.concept_retrieval.tables import MEASURED
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.support.randomness import seed_sequence
from dynparam.theory.concept_retrieval import approach, away, retained
from tests import concepts

OWN = concepts.settings()


@pytest.fixture(scope="module")
def table():
    return measure.measure(OWN)


def grid(table, part, kind, latent, quantity, column="value"):
    for name, value in (("part", part), ("kind", kind), ("latent", latent), ("quantity", quantity)):
        table = table[table[name] == value]
    return table.pivot(index="trial", columns="at", values=column).to_numpy()


def data(trial):
    return drawn(OWN, np.random.default_rng(seed_sequence(0, "concept_retrieval", "data", trial)))


def test_every_part_is_measured(table, tmp_path):
    counts = table.groupby(["part", "kind", "latent", "quantity"]).size().to_dict()
    linear = {"eigenvalue": 16, "rate": 16, "map": 2, "active": 2, "concept": 2, "own": 14, "wrong": 14}
    nonlinear = {"radius": 2, "own": 14, "wrong": 14}
    expected = {("linear", "clusters", k, name): n for k in (1, 4) for name, n in linear.items()}
    expected |= {
        ("nonlinear", kind, 4, name): n
        for kind in ("clusters", "gaussian")
        for name, n in nonlinear.items()
    }
    assert counts == expected
    assert list(table.columns) == list(measure.COLUMNS)
    MEASURED.check(table, tmp_path)
    has_theory = table["quantity"].isin(("rate", "map", "active", "own", "wrong"))
    assert (table["expected"].notna() == (has_theory & (table["part"] == "linear"))).all()


def test_rows_say_which_mode_or_inference_they_are_of(table):
    places = {quantity: sorted(set(rows["at"])) for quantity, rows in table.groupby("quantity")}
    assert places == {
        **{name: list(range(1, 9)) for name in ("eigenvalue", "rate")},
        **{name: list(range(7)) for name in ("own", "wrong")},
        **{name: [0] for name in ("map", "active", "concept", "radius")},
    }


@pytest.mark.parametrize("latent", [1, 4])
def test_units_in_use_are_singular_values_above_a_hundredth(table, latent):
    place = ("linear", "clusters", latent)
    rates, used = (grid(table, *place, name) for name in ("rate", "active"))
    assert used[:, 0].tolist() == (rates > 0.01).sum(axis=1).tolist()
    assert (np.diff(rates, axis=1) <= 0).all()


@pytest.mark.parametrize("latent", [1, 4])
def test_theory_is_that_of_the_trials_own_data(table, latent):
    for trial in range(2):
        modes = modes_above(data(trial), 0.5)
        kept = retained(modes.eigenvalues, 0.5, latent)
        place = ("linear", "clusters", latent)
        assert np.allclose(grid(table, *place, "eigenvalue")[trial], modes.eigenvalues)
        assert np.allclose(grid(table, *place, "rate", "expected")[trial], kept)
        assert grid(table, *place, "active", "expected")[trial, 0] == (kept > 0).sum()


@pytest.mark.parametrize("latent", [1, 4])
def test_linear_autoencoders_are_as_theory_says(table, latent):
    place = ("linear", "clusters", latent)
    assert (grid(table, *place, "map") < 0.03).all()
    assert (grid(table, *place, "map") > 0).all()
    for quantity, error in (("rate", 0.03), ("own", 0.02), ("wrong", 0.02), ("active", 0)):
        found, expected = (grid(table, *place, quantity, one) for one in ("value", "expected"))
        assert np.abs(found - expected).max() <= error


def test_one_latent_unit_cuts_a_concept(table):
    """Three concepts less their mean span two dimensions."""
    shares = [grid(table, "linear", "clusters", latent, "concept")[:, 0] for latent in (1, 4)]
    assert (shares[0] < 0.95).all()
    assert (shares[1] > 0.99).all()
    for trial in range(2):
        found = data(trial)
        along = found.concepts @ modes_above(found, 0.5).axes[:, 0]
        share = np.square(along).sum() / np.square(found.concepts).sum()
        assert shares[0][trial] == pytest.approx(share)


def test_distances_begin_at_the_disturbed_patterns(table):
    for trial in range(2):
        found = data(trial)
        start = away(found.starts, found.concepts, found.labels)
        clean = away(found.clean, found.concepts, found.labels)
        for place in (
            ("linear", "clusters", 1),
            ("nonlinear", "clusters", 4),
            ("nonlinear", "gaussian", 4),
        ):
            assert grid(table, *place, "own")[trial, 0] == pytest.approx(start.own)
            assert grid(table, *place, "wrong")[trial, 0] == pytest.approx(start.wrong)
        for kind in ("clusters", "gaussian"):
            assert grid(table, "nonlinear", kind, 4, "radius")[trial, 0] == pytest.approx(clean.own)


def test_patterns_approach_their_concept_and_no_other(table):
    own, wrong = (grid(table, "nonlinear", "clusters", 4, name) for name in ("own", "wrong"))
    for near, far in zip(own, wrong, strict=True):
        assert approach(near).least < 0.8
        assert near.min() < 0.9 * far.min()
    gaussian = grid(table, "nonlinear", "gaussian", 4, "own")
    assert not np.allclose(gaussian[:, 1:], own[:, 1:])


def test_a_trial_does_not_depend_on_how_many_there_are_or_on_other_widths(table):
    linear = concepts.SMALL["linear"] | {"trials": 3, "latent": [2, 4]}
    nonlinear = concepts.SMALL["nonlinear"] | {"trials": 3}
    more = measure.measure(concepts.settings(linear=linear, nonlinear=nonlinear))
    for place in (("linear", "clusters", 4), ("nonlinear", "clusters", 4), ("nonlinear", "gaussian", 4)):
        assert np.array_equal(grid(more, *place, "own")[:2], grid(table, *place, "own"))


def test_trials_and_seeds_differ(table):
    other = measure.measure(concepts.settings(seed=1))
    for place in (("linear", "clusters", 4), ("nonlinear", "clusters", 4)):
        found = grid(table, *place, "own")
        assert not np.allclose(found[0], found[1])
        assert not np.allclose(found, grid(other, *place, "own"))


def test_inference_is_repeated_step_by_step():
    found = data(0)
    shown = measure.distances(lambda x: x / 2 + 1, found, 3)
    x = found.starts
    assert len(shown) == 4
    for one in shown:
        assert tuple(one) == pytest.approx(tuple(away(x, found.concepts, found.labels)))
        x = x / 2 + 1


@pytest.mark.parametrize("factor", [1e200, np.inf])
def test_patterns_that_diverge_are_told(factor):
    with pytest.raises(NonFiniteError, match=r"after 1 inferences; lower concept_retrieval\.inference"):
        measure.distances(lambda x: factor * x, data(0), 3)


@pytest.mark.parametrize("part", ["linear", "nonlinear"])
def test_a_decoder_as_wide_as_the_data_is_told(part, monkeypatch):
    """In either part; the other one is left out."""
    other = {"linear": "_nonlinear", "nonlinear": "_linear"}[part]
    monkeypatch.setattr(measure, other, lambda own, trial: iter(()))
    with pytest.raises(DataError, match="the posterior collapses"):
        measure.measure(concepts.settings(variance=1e3))
