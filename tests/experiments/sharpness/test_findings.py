"""What the findings say of sharpness, from tables whose numbers all differ."""

import pandas as pd
import pytest

from dynparam.experiments.sharpness.findings import Found
from dynparam.experiments.sharpness.judge import RATE, RATIO, SLOPE
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.judged import CLAIM, CONTROL, Row, table, within
from tests.experiments.sharpness.small import verdicts

SETTINGS = verdicts(
    families={
        "constant": {"coefficient": "1/4", "exponent": 1},
        "fastest": {"coefficient": 4, "exponent": "1/4"},
        "sharpening": {"coefficient": 3, "exponent": "1/2"},
    },
    thesis={
        **verdicts().sharpness.thesis.model_dump(mode="json"),
        "families": {
            "square_root": {"coefficient": 6, "exponent": "1/2"},
            "constant": {"coefficient": "1/5", "exponent": 1},
        },
    },
)
"""The family that sharpens fastest is neither the first nor the last."""

THESIS = pd.DataFrame(
    [
        ("square_root", "ntk", 0.0, 0.01, 0.02),
        ("square_root", "spectral", -1.0, -0.9, -0.3),
        ("constant", "spectral", 0.0, 0.03, 0.04),
    ],
    columns=["family", "parametrization", "exponent", "last_decade", "window"],
)


def row(experiment, quantity, setting, expected, value, role=CLAIM):
    estimate = Estimate(value, value - 0.01, value + 0.01, 0.005, 20)
    return Row(experiment, quantity, setting, role, expected, estimate, within(expected, 0.1))


ROWS = [
    *[
        row("widths", SLOPE, f"{family}, {name}", slope, slope + off)
        for family, off in (("constant", -0.02), ("fastest", 0.0), ("sharpening", 0.02))
        for name, slope in (("ntk", 0.0), ("spectral", -1.0), ("dynamic", 0.0))
    ],
    row("widths", SLOPE, "fastest, spectral", 0.0, -1.0, CONTROL),
    row("widths", RATIO, "fastest, spectral, n = 8", 1.0, 1.05),
    row("normalization", SLOPE, "proportional inputs, none", 1.0, 0.97),
    row("normalization", SLOPE, "proportional inputs, mean", 0.0, 0.02),
    row("normalization", SLOPE, "fixed inputs, mean", 0.0, 0.8, CONTROL),
    row("normalization", RATIO, "fixed inputs, none, M = 8", 1.0, 1.02),
    row("rates", RATE, "ntk", 2.0, 2.03),
    row("rates", RATE, "spectral", 2.0, 1.96),
    row("rates", RATE, "dynamic", 2.0, 2.06),
    row("rates", RATE, "mup", 2.0, 2.01),
    row("rates", "another quantity", "mup", 9.0, 9.01),
]


def found(where="", verdict=""):
    """Of the planted verdicts, those of some rows turned."""
    told = table(ROWS)
    if where:
        rows = told.query(where).index
        assert len(rows)
        told.loc[rows, "verdict"] = verdict
    return Found(SETTINGS, told, THESIS)


def test_the_family_that_sharpens_fastest_is_told():
    assert found().sharpest() == "4 n^(1/4)"
    assert found().slope("spectral")["measured"] == -1.0
    assert found().slope("ntk")["setting"] == "fastest, ntk"


@pytest.mark.parametrize("name", ["spectral", "ntk", "dynamic"])
@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_width_decides_if_all_three_slopes_agree(name, verdict):
    assert found().width_decides()
    here = f"quantity == 'slope' and role == 'claim' and setting == 'fastest, {name}'"
    assert not found(here, verdict).width_decides()
    assert found(here.replace("fastest", "sharpening"), verdict).width_decides()


def test_width_does_not_decide_where_theory_has_spectral_stay():
    told = table(ROWS)
    told.loc[told["setting"] == "fastest, spectral", "expected"] = 0.0
    assert not Found(SETTINGS, told, THESIS).width_decides()
    told.loc[told["setting"] == "fastest, spectral", "expected"] = 0.5
    assert not Found(SETTINGS, told, THESIS).width_decides()


def test_slopes_of_the_thesis_are_told_with_the_rules_of_their_own_families():
    rows = found().thesis("spectral")
    assert [(one["rule"], one["exponent"], one["window"]) for one in rows] == [
        ("6 n^(1/2)", -1.0, -0.3),
        ("1/5 n", 0.0, 0.04),
    ]


def test_slopes_of_normalized_outputs_are_told_of_claims_and_controls():
    assert found().normalized("proportional", "mean")["measured"] == 0.02
    assert found().normalized("fixed", "mean")["measured"] == 0.8
    with pytest.raises(IndexError):
        found().normalized("fixed", "layer")


def test_normalization_decides_by_slopes_alone_and_by_all_of_them():
    assert found().normalization_decides()
    slopes = "experiment == 'normalization' and quantity == 'slope'"
    for role, verdict in (
        ("claim", "disagrees"),
        ("claim", "undecided"),
        ("control", "undecided"),
        ("control", "agrees"),
    ):
        one = f"{slopes} and role == '{role}'"
        assert not found(one, verdict).normalization_decides()
    ratio = "experiment == 'normalization' and quantity != 'slope'"
    assert found(ratio, "disagrees").normalization_decides()
    assert found("experiment == 'widths'", "disagrees").normalization_decides()


def test_rates_are_told_by_the_smallest_and_the_largest():
    assert found().rates() == {"low": 1.96, "high": 2.06, "agree": True}
    for verdict in ("disagrees", "undecided"):
        assert not found("experiment == 'rates' and setting == 'dynamic'", verdict).rates()["agree"]
