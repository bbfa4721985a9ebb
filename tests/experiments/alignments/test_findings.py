from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.alignments.findings import Found
from dynparam.experiments.alignments.settings import for_comparison
from dynparam.trials.settings import ASYMPTOTIC
from tests.findings_run import CONFIG, SLOPES, changes, configured, slopes

N = [1000, 2154, 4642, 10_000, 21_544, 46_416]
"""The widths of the wide figures; local slopes lie between."""


def wide(off=None):
    """The local slopes of the wide figures: the exponents, but for ``off``: (curve, n) -> value.

    The values of the curves themselves, which lie far from any exponent, are in the same files.
    """
    middles = [float(np.sqrt(a * b)) for a, b in pairwise(N)]
    rows = {figure: [] for figure in CONFIG.law.figures}
    for figure, shown in CONFIG.law.figures.items():
        for curve in CONFIG.panels[shown]:
            exponent = SLOPES[curve][1]
            for layer in (1, 2):
                rows[figure] += [("law", curve, layer, n, 9.0, exponent) for n in N]
                rows[figure] += [
                    ("slope", curve, layer, n, (off or {}).get((curve, k, layer), exponent), exponent)
                    for k, n in enumerate(middles)
                ]
    columns = ["kind", "curve", "layer", "n", "value", "asymptotic"]
    return {figure: pd.DataFrame(values, columns=columns) for figure, values in rows.items()}


def found(off=None, table=None, config=CONFIG, choices=None):
    known = slopes() if table is None else table
    choices = changes() if choices is None else choices
    return Found(for_comparison(config), "figures", known, wide(off), choices)


def test_slopes_under_the_asymptotic_reading():
    """Those of the table of the open choices: at the exponent in all layers, or in all but two."""
    curve, table = found().constant_ratio(), changes()
    reading = found().asymptotic_reading(curve)
    assert (reading["agree"], reading["all"]) == (6, 6)
    assert reading["slopes"] == pytest.approx([0] * 6, abs=0.05)
    rows = table.index[(table["alternative"] == ASYMPTOTIC) & (table["curve"] == curve.curve)]
    other = table.copy()
    other.loc[rows[:2], "at_exponent"] = ["disagrees", "undecided"]
    assert found(choices=other).asymptotic_reading(curve)["agree"] == 4
    assert found(choices=table.drop(rows)).asymptotic_reading(curve) is None


def test_whole_curves_are_told_with_their_smallest_p():
    """0.05 among four: 1 - 0.95^4 = 18.5 %."""
    whole = found().whole_curves()
    assert (whole["curves"], whole["apart"]) == (4, [])
    assert (whole["curve"], whole["p"]) == ("fig3_3_spectral", 0.05)
    assert (whole["statistic"], whole["layers"], whole["freedom"]) == (1.5, 6, 90.0)
    assert whole["chance"] == pytest.approx(0.185, abs=0.001)


def test_without_a_test_nothing_is_said_of_whole_curves():
    assert found(table=slopes().assign(joint_p=np.nan)).whole_curves() is None


def test_curves_that_are_told_apart_are_named():
    table = slopes()
    table.loc[(table["curve"] == "fig3_2_dynamic_ratio") & (table["figure"] == "fig3_2"), "joint_p"] = (
        1e-9
    )
    assert found(table=table).whole_curves()["apart"] == ["fig3_2_dynamic_ratio"]
    assert found(table=table).whole_curves()["curve"] == "fig3_2_dynamic_ratio"


def test_half_widths_are_those_of_the_figures_asked_for():
    """+-0.02 everywhere, but in one row at great widths, and in one of the figures."""
    table = slopes()
    wide = table.index[table["figure"] == "fig3_3_wide"][0]
    table.loc[wide, "ci_high"] += 1
    assert found(table=table).half_width(["fig3_2", "fig3_3"]) == pytest.approx(0.02)
    table.loc[table.index[0], "ci_high"] += 0.48
    assert found(table=table).half_width(["fig3_2", "fig3_3"]) == pytest.approx(0.03)


def test_claims_show_in_layers():
    one = found().slopes("fig3_2", "fig3_2_constant_ratio")
    assert one.visible == 5
    assert one.layers == "1 to 6"


def test_slopes_are_those_of_the_table():
    """Intervals of +-0.02, and layer / 1000 on top of each slope; a figure's curve in its own figure."""
    table = slopes().sample(frac=1, random_state=0)
    for figure in ("fig3_2", "fig3_2_wide"):
        one = found(table=table).slopes(figure, "fig3_2_dynamic_ratio")
        base = -1.0 if figure in CONFIG.law.figures else -0.7
        assert one.measured == pytest.approx([base + layer / 1000 for layer in range(1, 7)])
        assert one.half_width == pytest.approx(0.02)
        assert one.asymptotic == (-1.0,) * 6
        assert np.isnan(one.exact).all() == (figure in CONFIG.law.figures)
    with pytest.raises(KeyError, match="slopes of fig3_2_dynamic_ratio in fig3_3"):
        found().slopes("fig3_3", "fig3_2_dynamic_ratio")


def test_half_widths_are_those_of_all_layers():
    table = slopes()
    row = table.index[(table["curve"] == "fig3_3_dynamic") & (table["figure"] == "fig3_3")][0]
    table.loc[row, "ci_high"] += 0.12
    assert found(table=table).slopes("fig3_3", "fig3_3_dynamic").half_width == pytest.approx(0.03)


def test_the_error_of_exact_slopes_is_their_mean():
    table = slopes()
    known = table.index[table["expected_exact_error"].notna()]
    table.loc[known, "expected_exact_error"] = np.linspace(0.001, 0.003, len(known))
    assert found(table=table).exact_error() == pytest.approx(0.002)


def test_local_slopes_arrive_where_no_later_one_is_off():
    """Off at the second width, either way and in any layer or curve: they arrive at the third."""
    third = float(np.sqrt(N[2] * N[3]))
    for value in (-1.3, -0.7):
        for curve, layer in (("fig3_2_dynamic_ratio", 1), ("fig3_2_dynamic_ratio", 2)):
            one = found({(curve, 1, layer): value})
            assert one.arrival(one.steep()) == pytest.approx(third)
    one = found({("fig3_3_spectral", 1, 2): 0.0, ("fig3_2_dynamic_ratio", 0, 1): 0.0})
    assert one.arrival(one.steep()) == pytest.approx(third)
    # Within the tolerance of 0.05 is not off, and what other curves do does not matter.
    one = found({("fig3_2_dynamic_ratio", 1, 1): -1.04, ("fig3_3_dynamic", 4, 1): 9.0})
    assert one.arrival(one.steep()) == pytest.approx(np.sqrt(N[0] * N[1]))


def test_a_curve_bends_if_it_arrives_beyond_n_0():
    """n_0 = 3072 lies between the first local slope, at 1468, and the third, at 6813."""
    curve = found().constant_ratio()
    assert curve.curve == "fig3_2_constant_ratio"
    assert not found().bends(curve), "it keeps its exponent from the start"
    assert found({(curve.curve, 1, 1): 0.5}).bends(curve)
    assert found({(curve.curve, 1, 2): -0.5}).bends(curve)
    assert found({(curve.curve, 0, 1): 0.5}).bends(curve), "the second slope, at 3162"


def test_a_curve_that_arrives_before_n_0_or_keeps_its_exponent_from_the_start_does_not_bend():
    """Among wider networks the first slope lies beyond n_0; among narrower ones the second before it."""
    curve = found().constant_ratio()
    off = {(curve.curve, 0, 1): 0.5}
    for factor, bends in ((1.0, True), (0.5, False), (4.0, True)):
        moved = {figure: table.assign(n=factor * table["n"]) for figure, table in wide(off).items()}
        assert Found(for_comparison(CONFIG), "figures", slopes(), moved, changes()).bends(curve) == bends
    wider = {figure: table.assign(n=4.0 * table["n"]) for figure, table in wide().items()}
    assert not Found(for_comparison(CONFIG), "figures", slopes(), wider, changes()).bends(curve)


def test_local_slopes_need_not_arrive():
    """The last one is off, in one layer of one curve."""
    last = len(N) - 2
    one = found({("fig3_3_spectral", last, 2): 9.0, ("fig3_2_constant_ratio", last, 1): 9.0})
    assert one.arrival(one.steep()) is None
    assert not one.bends(one.constant_ratio())


def test_exponents_are_judged_by_the_exact_ones():
    """All slopes agree with what the widths let expect, but three curves are off their exponents."""
    assert found().verdicts(["fig3_2", "fig3_3"])["agrees"] == 24
    assert found().exponents(["fig3_2", "fig3_3"])["agrees"] == 6
    assert found().exponents(["fig3_2_wide", "fig3_3_wide"])["agrees"] == 24
    table = slopes()
    table.loc[table.index[:3], "verdict"] = ["disagrees", "undecided", "undecided"]
    counts = found(table=table).verdicts(["fig3_2", "fig3_3"])
    assert counts == {"agrees": 21, "disagrees": 1, "undecided": 2, "all": 24}


def test_curves_of_one_bottleneck_are_rivals():
    """Only those of one rule, and not at a constant ratio."""
    (one,) = found().rivals()
    assert (one.spectral.curve, one.dynamic.curve) == ("fig3_3_spectral", "fig3_3_dynamic")
    assert {curve.curve for curve in found().steep()} == {"fig3_2_dynamic_ratio", "fig3_3_spectral"}
    other = configured({"probe.curves.fig3_3_dynamic.narrow.coefficient": "140"})
    assert found(config=other).rivals() == []
    constant = {"coefficient": "1/5", "exponent": "1"}
    changes = {f"probe.curves.fig3_3_{name}.narrow": constant for name in ("spectral", "dynamic")}
    assert found(config=configured(changes)).rivals() == []


@pytest.mark.parametrize(
    ("changes", "so"),
    [
        ({}, True),
        ({"probe.widths.smallest": 3072}, False),
        ({"probe.widths.smallest": 3071}, True),
        ({"probe.widths.largest": 3072}, False),
        ({"network.hidden": ["narrow", "wide"]}, False),
        ({"probe.first_layer": "asymptotic"}, False),
    ],
)
def test_the_first_hidden_layer_crosses_n_0(changes, so):
    assert found(config=configured(changes)).crosses() is so


@pytest.mark.parametrize(("exact", "so"), [(-1.5, True), (-1.56, False), (-1.9, False), (-1.6, False)])
def test_a_slope_is_less_steep_than_its_exponent(exact, so):
    """-8/5 is the exponent; by more than the tolerance of 0.05, in some layer of every curve."""
    table = slopes()
    rows = (table["curve"] == "fig3_3_spectral") & (table["figure"] == "fig3_3")
    table.loc[rows, "expected_exact"] = [-1.6] * 5 + [exact]
    one = found(table=table)
    assert one.less_steep(one.steep()) is so


def test_a_curve_of_two_figures_is_told_once_and_of_the_first():
    again = ["fig3_3_spectral", "fig3_3_dynamic", "fig3_2_constant_ratio", "fig3_2_dynamic_ratio"]
    one = found(config=configured({"panels.fig3_3": again}))
    assert one.constant_ratio().figure == "fig3_2"
    assert [(curve.figure, curve.curve) for curve in one.steep()] == [
        ("fig3_2", "fig3_2_dynamic_ratio"),
        ("fig3_3", "fig3_3_spectral"),
    ]


def test_files_and_continuations_are_those_of_the_figures():
    one = found()
    assert one.files(["fig3_2", "fig3_3"], "csv") == "`figures/fig3_2.csv`, `figures/fig3_3.csv`"
    assert one.continuations(one.constant_ratio()) == ["fig3_2_wide"]
    assert [(curve.figure, curve.curve) for curve in one.wide_curves()] == [
        ("fig3_2_wide", "fig3_2_constant_ratio"),
        ("fig3_2_wide", "fig3_2_dynamic_ratio"),
        ("fig3_3_wide", "fig3_3_spectral"),
        ("fig3_3_wide", "fig3_3_dynamic"),
    ]
    alone = found(config=configured({"law.figures": {}}))
    assert list(alone.wide_curves()) == alone.continuations(alone.constant_ratio()) == []
    assert alone.arrival(alone.steep()) is None
