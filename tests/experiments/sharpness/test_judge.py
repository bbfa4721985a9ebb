"""Verdicts on sharpness, on tables made up so that the answer is known."""

import numpy as np
import pandas as pd
import pytest

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
