"""Verdicts on sharpness, on tables made up so that the answer is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dynparam.experiments.sharpness.judge import Measured, judged, thesis_slopes
from dynparam.statistics.judged import CLAIM, CONTROL, outcomes
from dynparam.support.errors import DataError
from tests.experiments.sharpness.small import verdicts

N = (64, 128, 256)
SLOPES = {"ntk": 0.0, "mup": 0.0, "spectral": -1.0, "dynamic": 0.0, "standard": 1.0}
OF_NTK = "the theory of ntk"


def widths(bias=0.0, slopes=SLOPES):
    """Sharpness n^slope with 5 % of scatter; ``bias`` is added to the measured slopes."""
    random = np.random.default_rng(0)
    rows = []
    for family in ("constant", "sharpening"):
        for name, slope in slopes.items():
            slope = 0.0 if family == "constant" and name == "spectral" else slope
            for n in N:
                for trial in range(20):
                    noise = 1 + 0.05 * random.normal()
                    found = n ** (slope + bias) / 256**bias * noise
                    rows.append((family, name, n, n // 4, trial, found, float(n) ** slope))
    columns = ["family", "parametrization", "n", "n_min", "trial", "sharpness", "expected"]
    return pd.DataFrame(rows, columns=columns)


def normalization(flat=0.0, fixed=1.0, none=1.0):
    random = np.random.default_rng(1)
    slopes = {
        "proportional": {"none": none, "mean": flat, "batch": flat, "layer": 0.7},
        "fixed": {"none": none, "mean": fixed, "batch": fixed, "layer": 0.9},
    }
    rows = [
        (inputs, n, trial, name, n**slope * (1 + 0.05 * random.normal()), float(n) ** slope)
        for inputs, group in slopes.items()
        for name, slope in group.items()
        for n in (50, 100, 200)
        for trial in range(10)
    ]
    return pd.DataFrame(
        rows, columns=["inputs", "width", "trial", "normalization", "sharpness", "expected"]
    )


def limits(slope=-1.0):
    """Along a family of the thesis: the exponents, but for spectral's, which is flat up to 10^4."""
    slopes = {**SLOPES, "spectral": slope}
    rows = [
        ("whole", "square_root", name, n, max(n, 10**4) ** value if value < 0 else float(n) ** value)
        for name, value in slopes.items()
        for n in (10**3, 10**4, 10**5, 10**6, 10**7)
    ]
    rows.append(("pooled", "constant", "ntk", 64, 1.0))
    return pd.DataFrame(rows, columns=["inputs", "family", "parametrization", "n", "sharpness"])


def rates(product=2.03):
    rows = [(name, product + 0.01 * step) for name in SLOPES for step in range(4)]
    return pd.DataFrame(rows, columns=["parametrization", "product"])


def table(a=None, b=None, c=None, d=None):
    a = widths() if a is None else a
    b = normalization() if b is None else b
    found = Measured(a, limits() if d is None else d, b, rates() if c is None else c)
    return judged(found, verdicts())


def rows(found, **where):
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found)
    return found


def test_what_follows_theory_is_found_to():
    found = table()
    assert set(outcomes(found, CLAIM)) == set(outcomes(found, CONTROL)) == {"passed"}
    assert len(rows(found, role=CONTROL)) == 1 + 2
    assert found.drop(columns="accepted_high").notna().all().all()
    assert found["accepted_high"].isna().sum() == 1, "growth that layer normalization leaves"


def test_the_control_on_widths_stands_where_theories_differ():
    found = rows(table(), note=OF_NTK)
    assert found["setting"].tolist() == ["sharpening, spectral"]
    assert found["expected"].item() == 0
    assert found["verdict"].item() == "disagrees"
    assert found["role"].item() == CONTROL


def test_a_wrong_slope_is_found():
    found = rows(table(widths(bias=0.4)), experiment="widths", quantity="slope", note="")
    assert (found["verdict"] == "disagrees").all()
    assert list(outcomes(table(widths(bias=0.4)), CLAIM)).count("failed") >= 10


def test_a_wrong_size_is_found():
    large = widths().assign(sharpness=lambda t: 1.5 * t["sharpness"])
    found = table(large)
    assert (rows(found, experiment="widths", quantity="slope", note="")["verdict"] == "agrees").all()
    ratios = rows(found, experiment="widths", quantity="measured over theory")
    assert (ratios["verdict"] == "disagrees").all()
    assert len(ratios) == 2 * 5, "n = 256 alone is judged"


def test_a_control_that_agrees_fails_the_build():
    with pytest.raises(
        DataError, match=r"control 'slope' \(fixed inputs, mean\) agrees.*as many inputs"
    ):
        table(b=normalization(fixed=0.0))
    same = widths()
    spectral = same["parametrization"] == "spectral"
    same.loc[spectral, "sharpness"] = 1.0 + 0.01 * np.sin(np.arange(spectral.sum()))
    with pytest.raises(
        DataError, match=r"'slope' \(sharpening, spectral\) agrees.*\(the theory of ntk\)"
    ):
        table(same)


def test_layer_normalization_is_found_to_leave_growth():
    found = rows(table(), setting="proportional inputs, layer", quantity="slope")
    assert (found["role"].item(), found["verdict"].item()) == (CLAIM, "holds")
    flat = normalization()
    layer = flat["normalization"] == "layer"
    flat.loc[layer, "sharpness"] = 1.0 + 0.01 * np.sin(np.arange(layer.sum()))
    found = rows(table(b=flat), setting="proportional inputs, layer", quantity="slope")
    assert found["verdict"].item() == "fails"


def test_a_control_that_cannot_tell_does_not():
    """With few networks it is undecided, which is no failure."""
    loose = normalization()
    fixed = loose["inputs"] == "fixed"
    loose.loc[fixed, "sharpness"] *= np.exp(2 * np.random.default_rng(3).normal(size=fixed.sum()))
    found = rows(table(b=loose), setting="fixed inputs, mean")
    assert found["verdict"].item() == "undecided"


def test_there_is_no_control_where_the_theories_are_one():
    found = table(widths(slopes={"ntk": 0.0, "spectral": 0.0}))
    assert OF_NTK not in set(found["note"])


def test_slopes_along_the_thesis_s_families_are_held_against_their_exponents():
    slopes = thesis_slopes(limits(), verdicts()).set_index("parametrization")
    assert slopes["exponent"].to_dict() == SLOPES
    assert slopes.loc["spectral", "last_decade"] == pytest.approx(-1)
    assert slopes.loc["spectral", "window"] == 0
    assert slopes.loc["ntk", ["last_decade", "window"]].tolist() == [0, 0]
    found = rows(table(d=limits(slope=-0.5)), experiment="thesis", setting="square_root, spectral")
    assert found["verdict"].item() == "disagrees"
    found = rows(table(), experiment="thesis", setting="square_root, spectral")
    assert found["note"].item() == "0.00 up to n = 10000"


def test_growth_that_normalization_leaves_is_found():
    found = table(b=normalization(flat=0.6))
    found = rows(found, experiment="normalization", expected=0.0, role=CLAIM)
    assert set(found["setting"]) == {"proportional inputs, mean", "proportional inputs, batch"}
    assert (found["verdict"] == "disagrees").all()


def test_an_edge_elsewhere_is_found():
    assert (rows(table(c=rates(2.5)), experiment="rates")["verdict"] == "disagrees").all()
    assert (rows(table(), experiment="rates")["verdict"] == "agrees").all()


TOLERANCES = {
    "slope": 0.11,
    "ratio": 0.12,
    "ratio_from": 256,
    "normalized_slope": 0.13,
    "flat": 0.14,
    "growth": 0.35,
    "normalized_ratio": 0.36,
    "rate": 0.17,
}

ACCEPTED = {
    ("widths", "slope", "sharpening, spectral"): (-1.11, -0.89),
    ("widths", "measured over theory", "constant, mup, n = 256"): (0.88, 1.12),
    ("normalization", "slope", "fixed inputs, none"): (0.87, 1.13),
    ("normalization", "slope", "proportional inputs, batch"): (-0.14, 0.14),
    ("normalization", "slope", "fixed inputs, mean"): (-0.14, 0.14),
    ("normalization", "slope", "proportional inputs, layer"): (0.35, np.nan),
    ("normalization", "measured over theory", "fixed inputs, layer, M = 50"): (0.64, 1.36),
    ("rates", "largest rate times sharpness", "standard"): (1.83, 2.17),
    ("thesis", "slope of the wide limit over its last decade", "square_root, standard"): (0.89, 1.11),
}


def measured():
    return Measured(widths(), limits(), normalization(), rates())


def test_every_row_has_the_tolerance_of_its_kind():
    found = judged(measured(), verdicts(tolerances=TOLERANCES)).query("note != @OF_NTK")
    found = found.set_index(["experiment", "quantity", "setting"])
    for place, ends in ACCEPTED.items():
        accepted = found.loc[place, ["accepted_low", "accepted_high"]].tolist()
        assert accepted == pytest.approx(ends, nan_ok=True), place


@pytest.mark.parametrize(("smallest", "judged_at"), [(128, {128, 256}), (129, {256}), (256, {256})])
def test_ratios_are_judged_from_the_smallest_n_on(smallest, judged_at):
    found = judged(measured(), verdicts(tolerances={**TOLERANCES, "ratio_from": smallest}))
    ratios = rows(found, experiment="widths", quantity="measured over theory")
    assert {int(setting.split("n = ")[1]) for setting in ratios["setting"]} == judged_at


@pytest.mark.parametrize(("spectral", "controls"), [(-0.31, 2), (-0.29, 0), (-0.2, 0), (0.31, 2)])
def test_there_is_a_control_where_both_tolerances_leave_a_gap(spectral, controls):
    """At 0.15 for a slope, two theories are told apart from 0.30 on: here in both families."""
    table = widths(slopes={"ntk": 0.0, "spectral": 0.0})
    mine = table["parametrization"] == "spectral"
    for column in ("sharpness", "expected"):
        table.loc[mine, column] *= table["n"] ** spectral
    found = judged(Measured(table, limits(), normalization(), rates()), verdicts())
    assert (found["note"] == OF_NTK).sum() == controls


def test_means_and_slopes_are_those_of_their_trials():
    """Interval by interval, by scipy: Student's of a mean; and narrower at a smaller confidence."""
    settings = verdicts()
    found = judged(measured(), settings).query("role == 'claim'")
    found = found.set_index(["experiment", "quantity", "setting"])
    table = widths()
    mine = table.query("family == 'sharpening' and parametrization == 'mup'")
    ratios = mine.query("n == 256").eval("sharpness / expected")
    other = normalization().query("inputs == 'fixed' and normalization == 'layer' and width == 100")
    places = {
        ("widths", "measured over theory", "sharpening, mup, n = 256"): ratios,
        ("normalization", "measured over theory", "fixed inputs, layer, M = 100"): other.eval(
            "sharpness / expected"
        ),
        ("rates", "largest rate times sharpness", "mup"): rates().query("parametrization == 'mup'")[
            "product"
        ],
    }
    for place, values in places.items():
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        told = found.loc[place, ["measured", "ci_low", "ci_high"]].tolist()
        assert told == pytest.approx([values.mean(), low, high], rel=1e-9), place
    means = mine.groupby("n")["sharpness"].mean()
    slope = stats.linregress(np.log(means.index), np.log(means)).slope
    assert found.loc[("widths", "slope", "sharpening, mup"), "measured"] == pytest.approx(slope)
    half = settings.model_copy(update={"fit": settings.fit.model_copy(update={"confidence": 0.5})})
    narrow = judged(measured(), half).query("role == 'claim'")
    narrow = narrow.set_index(["experiment", "quantity", "setting"])
    reach = [(one["ci_high"] - one["ci_low"]).drop("thesis", level=0) for one in (narrow, found)]
    assert (reach[0] < 0.5 * reach[1]).all()


def test_the_last_decade_and_the_window_are_those_widths_alone():
    """A slope that changes in every decade: -1, 0, 1 and 2 of them, n = 1000 to 10^7."""
    table = limits()
    mine = (table["parametrization"] == "ntk") & (table["inputs"] == "whole")
    table.loc[mine, "sharpness"] = [1.0, 1e-1, 1e-1, 1.0, 100.0]
    slopes = thesis_slopes(table, verdicts()).set_index("parametrization")
    assert slopes.loc["ntk", "last_decade"] == pytest.approx(2)
    assert slopes.loc["ntk", "window"] == pytest.approx(-1)
