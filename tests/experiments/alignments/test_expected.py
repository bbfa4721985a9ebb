from fractions import Fraction

import numpy as np
import pytest

from dynparam.experiments.alignments.expected import expected_values
from dynparam.statistics.slopes import log_slope
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import bottleneck
from dynparam.trials.networks import asymptotic_exponents
from tests.networks import CURVES, probe_stage


def thesis_window(curve):
    return probe_stage(
        widths={"smallest": 1000, "largest": 10_000, "count": 10},
        hidden=["wide", "narrow", "wide", "narrow", "wide"],
        curves={"curve": curve},
    )


CONSTANT = CURVES["constant"]
NARROW = {"coefficient": 150, "exponent": "1/5"}


def test_values_are_the_mean_field_at_each_width():
    table = expected_values(thesis_window(CONSTANT), "curve", np.array([500.0, 900.0]))
    assert len(table) == 10 * 6
    row = table[(table["n"] == 2783) & (table["layer"] == 3)].iloc[0]
    widths = bottleneck(2783, 557)
    assert row["n_min"] == 557
    expected = mean_field(widths, layer_scales("spectral", widths), 0.1, np.array([500.0, 900.0]))
    assert row["alignment"] == pytest.approx(expected.alignment[2])


@pytest.mark.parametrize("r", ["0", "1/4"])
def test_values_are_those_of_the_curve_s_own_r(r):
    """Dynamic's multipliers follow n_min^r; with n_0 lowered to the smallest n in the second column."""
    curve = CONSTANT | {"parametrization": "dynamic", "narrow": NARROW, "r": r}
    table = expected_values(thesis_window(curve), "curve", np.array([800.0]))
    rows = table[table["n"] == 2783].sort_values("layer")
    for column, n_in in (("alignment", 3072), ("alignment_uncrossed", 1000)):
        widths = bottleneck(2783, int(rows["n_min"].iloc[0]), n_in=n_in)
        scales = layer_scales("dynamic", widths, Fraction(r))
        expected = mean_field(widths, scales, 0.1, np.array([800.0])).alignment
        assert rows[column].tolist() == pytest.approx(expected.tolist())
        other = mean_field(widths, layer_scales("dynamic", widths), 0.1, np.array([800.0])).alignment
        assert expected.tolist() != pytest.approx(other.tolist(), rel=0.01)


def test_only_spectral_minds_that_widths_pass_n_0():
    """Its rule looks at the larger of fan_in and fan_out (eq. 3.4); without it slopes are exponents."""
    spectral = expected_values(thesis_window(CONSTANT), "curve", np.array([800.0]))
    dynamic = expected_values(
        thesis_window(CONSTANT | {"parametrization": "dynamic", "narrow": NARROW}),
        "curve",
        np.array([800.0]),
    )
    for layer in range(2, 7):
        rows = spectral[spectral["layer"] == layer]
        assert log_slope(rows["n"], rows["alignment"]) > 0.15
        assert log_slope(rows["n"], rows["alignment_uncrossed"]) == pytest.approx(0, abs=0.01)
    # For dynamic n_0 is a constant factor of ||x||^2 / n_0: it moves no slope.
    for layer in range(1, 7):
        rows = dynamic[dynamic["layer"] == layer]
        slopes = [log_slope(rows["n"], rows[c]) for c in ("alignment", "alignment_uncrossed")]
        assert slopes == pytest.approx([0, 0], abs=0.01)


@pytest.mark.parametrize(
    ("narrow", "exponent"),
    [
        ({"coefficient": "1/5", "exponent": 1}, 0),
        ({"coefficient": 6, "exponent": "1/2"}, -1),
        (NARROW, -1.6),
    ],
)
def test_under_the_asymptotic_reading_slopes_are_exponents(narrow, exponent):
    """Of Figs. 3.2 and 3.3, in every layer on the thesis's own window; as written, n_0 is in the way."""
    for reading, close in (("asymptotic", True), ("written", False)):
        stage = thesis_window(CONSTANT | {"narrow": narrow}).with_probe(first_layer=reading)
        table = expected_values(stage, "curve", np.array([800.0]))
        for layer in range(2, 7):
            rows = table[table["layer"] == layer]
            slope = log_slope(rows["n"], rows["alignment"])
            assert bool(slope == pytest.approx(exponent, abs=0.005)) is close
            uncrossed = log_slope(rows["n"], rows["alignment_uncrossed"])
            assert uncrossed == pytest.approx(exponent, abs=0.01)


def test_exponents_of_the_configured_curve():
    settings = thesis_window(CONSTANT | {"narrow": NARROW})
    curve = settings.probe.curve("curve")
    assert asymptotic_exponents(settings.network, curve) == (Fraction(-8, 5),) * 6
