"""What the findings say of the r-sweep, from planted tables."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.r_sweep.findings import Found
from dynparam.statistics.verdicts import Verdict
from tests.findings_run import edges, exponents
from tests.sweeps import edges_stage

EDGES, EXPONENTS = edges(), exponents()
DRIFT, GROWTH = (EDGES["statistic"] == name for name in ("drift", "growth"))


def found(edges=EDGES, exponents=EXPONENTS, **sweep):
    return Found(edges_stage(**sweep), edges, exponents)


def changed(table, rows, **values):
    """The table with other values in some rows."""
    other = table.copy()
    for column, value in values.items():
        other.loc[rows, column] = value
    return other


def test_references_are_named():
    assert found().references() == ["n_min", "the geometric mean of the hidden widths", "n_max"]
    assert found().others("root") == ["n_max", "the geometric mean"]
    assert found(references=["n_min"]).others("root") == []


def test_edges_are_those_of_the_statistic():
    rows = found().edges("drift")
    assert [(row["name"], row["edge"]) for row in rows] == [
        ("n_min", pytest.approx(0.49)),
        ("geometric mean", pytest.approx(0.30625)),
        ("n_max", pytest.approx(0.245)),
    ]
    assert found().edges("growth")[0]["edge"] == pytest.approx(0.52)


@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
@pytest.mark.parametrize("reference", ["n_min", "n_max"])
def test_one_edge_of_the_drift_that_does_not_agree_is_enough(verdict, reference):
    here = EDGES["reference"] == reference
    assert found().only_n_min()
    assert found(changed(EDGES, GROWTH & here, verdict=verdict)).only_n_min()
    assert not found(changed(EDGES, DRIFT & here, verdict=verdict)).only_n_min()


def test_n_min_is_not_alone_where_another_edge_is_a_half_too():
    assert not found(changed(EDGES, EDGES["reference"] == "n_max", edge_expected=0.5)).only_n_min()
    assert not found(changed(EDGES, EDGES["reference"] == "n_min", edge_expected=0.4)).only_n_min()


def test_the_onset_is_that_of_the_growth_of_gradients():
    assert found().onset()["update_exponent"] == pytest.approx(0.26)
    assert found(changed(EDGES, GROWTH, edge=np.nan)).onset() is None
    assert found(changed(EDGES, DRIFT, edge=np.nan)).onset() is not None


def test_roots_are_compared_with_the_interval_of_the_onset():
    """The onset, n^0.26 [0.24, 0.28], beside n^0.5 of n_max and n^0.4 of the geometric mean."""
    roots = {one.name: one for one in found().roots()}
    assert {name: one.exponent for name, one in roots.items()} == {
        "the geometric mean": pytest.approx(0.4),
        "n_max": pytest.approx(0.5),
    }
    assert {one.verdict for one in roots.values()} == {Verdict.DISAGREES}
    # 0.4 lies within 0.15 of the whole interval only up to 0.26: undecided; within 0.2 all of it does.
    for tolerance, verdict in ((0.15, Verdict.UNDECIDED), (0.2, Verdict.AGREES)):
        named = {one.name: one.verdict for one in found(tolerance=tolerance).roots()}
        assert named["the geometric mean"] == verdict


def growth_at(r):
    return (EXPONENTS["statistic"] == "growth") & (EXPONENTS["r"] == r)


def test_gradients_are_steady_below_the_edge():
    assert found().steady_below()
    assert not found(exponents=changed(EXPONENTS, growth_at(0.5), verdict="disagrees")).steady_below()
    assert found(exponents=changed(EXPONENTS, growth_at(1.0), verdict="disagrees")).steady_below()
    drift = EXPONENTS["statistic"] == "drift"
    assert found(exponents=changed(EXPONENTS, drift, verdict="disagrees")).steady_below()
    assert not found(exponents=EXPONENTS[drift]).steady_below()


def test_trials_diverge_at_the_largest_r():
    assert found().diverges_beyond()
    assert not found(exponents=changed(EXPONENTS, growth_at(1.0), trials=1)).diverges_beyond()
    elsewhere = changed(EXPONENTS, growth_at(1.0), trials=16)
    assert not found(exponents=changed(elsewhere, growth_at(0.625), trials=0)).diverges_beyond()


def test_trials_of_one_reference_that_all_diverge_are_enough():
    more = EXPONENTS[growth_at(1.0)].assign(reference="n_max", trials=7)
    assert found(exponents=pd.concat([EXPONENTS, more])).diverges_beyond()
    assert not found(exponents=pd.concat([EXPONENTS[~growth_at(1.0)], more])).diverges_beyond()


@pytest.mark.parametrize(("exponent", "so"), [(-0.3, True), (0.06, True), (0.0625, True), (0.07, False)])
def test_the_onset_is_gradual(exponent, so):
    """At the first r beyond the edge of n_min, 5/8, the growth's exponent is at most the tolerance."""
    assert found(exponents=changed(EXPONENTS, growth_at(0.625), exponent=exponent)).gradual() is so
    other = changed(EXPONENTS, growth_at(0.625), exponent=exponent, reference="n_max")
    assert found(exponents=other).gradual() is False, "at r = 1 nothing is known"


@pytest.mark.parametrize(
    ("changes", "so"),
    [
        ({}, True),
        ({"ci_high": 0.3}, False),
        ({"expected": 0.25, "ci_high": 0.25}, False),
        ({"verdict": "undecided"}, False),
        ({"expected": 0.0, "ci_high": -0.1}, False),
        ({"r": 0.75}, False),
    ],
)
def test_the_drift_falls_short_at_the_largest_r(changes, so):
    far = (EXPONENTS["statistic"] == "drift") & (EXPONENTS["r"] == 1.0)
    assert found(exponents=changed(EXPONENTS, far, **changes)).falls_short() is so
