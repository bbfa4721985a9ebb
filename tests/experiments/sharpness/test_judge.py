"""Verdicts on sharpness, on tables made up so that the answer is known."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.sharpness.judge import controls_that_agree, judged, unexpected
from dynparam.support.errors import DataError
from tests.experiments.sharpness.small import verdicts

N = (64, 128, 256)
SLOPES = {"ntk": 0.0, "mup": 0.0, "spectral": -1.0, "dynamic": 0.0, "standard": 1.0}
CONTROL = "control: the theory of ntk"


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


def rates(product=2.03):
    rows = [(name, product + 0.01 * step) for name in SLOPES for step in range(4)]
    return pd.DataFrame(rows, columns=["parametrization", "product"])


def table(a=None, b=None, c=None):
    a = widths() if a is None else a
    b = normalization() if b is None else b
    return judged(a, b, rates() if c is None else c, verdicts())


def rows(found, **where):
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found)
    return found


def test_what_follows_theory_is_found_to():
    found = table()
    assert (found["verdict"] == found["wanted"]).all()
    assert unexpected(found).empty
    assert controls_that_agree(found).empty
    assert found.notna().all().all()
    values = ["expected", "measured", "ci_low", "ci_high", "verdict", "wanted", "note"]
    assert list(found.columns) == ["experiment", "quantity", "setting", *values]


def test_the_control_on_widths_stands_where_theories_differ():
    found = rows(table(), note=CONTROL)
    assert found["setting"].tolist() == ["sharpening, spectral"]
    assert found["expected"].item() == 0
    assert found["verdict"].item() == found["wanted"].item() == "disagrees"


def test_a_wrong_slope_is_found():
    found = rows(table(widths(bias=0.4)), experiment="widths", quantity="slope", note="")
    assert (found["verdict"] == "disagrees").all()
    assert len(unexpected(table(widths(bias=0.4)))) >= 10


def test_a_wrong_size_is_found():
    large = widths().assign(sharpness=lambda t: 1.5 * t["sharpness"])
    found = table(large)
    assert (rows(found, experiment="widths", quantity="slope", note="")["verdict"] == "agrees").all()
    ratios = rows(found, experiment="widths", quantity="measured over theory")
    assert (ratios["verdict"] == "disagrees").all()
    assert len(ratios) == 2 * 5, "n = 256 alone is judged"


def test_a_control_that_agrees_is_named():
    flat = normalization(fixed=0.0)
    named = controls_that_agree(table(b=flat))
    assert set(named["setting"]) == {"fixed inputs, mean", "fixed inputs, batch"}
    same = controls_that_agree(table(widths(slopes={"ntk": 0.0, "spectral": 0.0})))
    assert same.empty, "there is no control where the theories are one"
    spectral_like_ntk = widths()
    spectral = spectral_like_ntk["parametrization"] == "spectral"
    spectral_like_ntk.loc[spectral, "sharpness"] = 1.0 + 0.01 * np.sin(np.arange(spectral.sum()))
    named = controls_that_agree(table(spectral_like_ntk))
    assert named["note"].tolist() == [CONTROL]


def test_growth_that_normalization_leaves_is_found():
    found = table(b=normalization(flat=0.6))
    found = rows(found, experiment="normalization", expected=0.0, wanted="agrees")
    assert set(found["setting"]) == {"proportional inputs, mean", "proportional inputs, batch"}
    assert (found["verdict"] == "disagrees").all()


def test_an_edge_elsewhere_is_found():
    assert (rows(table(c=rates(2.5)), experiment="rates")["verdict"] == "disagrees").all()
    assert (rows(table(), experiment="rates")["verdict"] == "agrees").all()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_empty_table_is_told(place):
    given = [widths(), normalization(), rates()]
    given[place] = given[place].iloc[:0]
    with pytest.raises(DataError, match="is empty; measure it again"):
        judged(*given, verdicts())
