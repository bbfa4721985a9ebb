"""The figure shows every series beside theory, and every parametrization along every family."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from dynparam.experiments.delay_law.figure import COLUMNS, SERIES_LOOKS, delay_figure, plotted_data
from dynparam.presentation.parametrization_style import ORDER, look
from dynparam.theory.delay import delay
from tests import delays

OWN = delays.block()

STAGE = delays.stage()

DATA = plotted_data(delays.planted(OWN), STAGE)


def test_a_point_is_the_learning_rate_times_the_mean_of_the_steps():
    rows = DATA[(DATA["panel"] == "ratio") & DATA["value"].notna()]
    assert len(rows) == sum(len(one.ratios) for one in OWN.series)
    assert (rows["value"] / rows["expected"] - 1).abs().max() < 0.05
    first = rows.iloc[0]
    assert first["expected"] == pytest.approx(0.2 * delay(10.0, 1, 0.2))
    assert (rows["low"] < rows["value"]).all()
    assert (rows["value"] < rows["high"]).all()
    assert tuple(DATA.columns) == COLUMNS


def test_curves_of_theory_reach_from_the_first_ratio_to_the_last():
    for series in OWN.series:
        rows = DATA[(DATA["kind"] == "theory") & (DATA["bottlenecks"] == series.bottlenecks)]
        assert rows["x"].min() == pytest.approx(series.ratios[0])
        assert rows["x"].max() == pytest.approx(series.ratios[-1])
        assert (np.diff(rows["expected"]) > 0).all()
        assert rows["value"].isna().all()


def test_steps_along_families_begin_at_one():
    rows = DATA[DATA["panel"] == "family"]
    first = rows.groupby(["kind", "parametrization"])["value"].first()
    assert len(first) == 15
    assert np.allclose(first, 1.0)


def test_panels_show_what_the_data_hold():
    figure = delay_figure(DATA, STAGE)
    above, *below = figure.axes
    assert len(below) == 3
    assert above.get_xscale() == above.get_yscale() == "log"
    assert [text.get_text().partition(":")[0] for text in above.texts] == [
        "1 bottleneck",
        "2 bottlenecks",
        "3 bottlenecks",
    ]
    for axis in below:
        colours = {to_hex(line.get_color()) for line in axis.lines}
        assert colours == {to_hex(look(name).colour) for name in ORDER}


def test_numbers_of_bottlenecks_have_colours_that_no_parametrization_has():
    series = {to_hex(one.colour) for one in SERIES_LOOKS}
    assert len(series) == 5
    assert not series & {to_hex(look(name).colour) for name in ORDER}
    assert len({one.marker for one in SERIES_LOOKS}) == 5


def test_rules_stand_above_the_panels():
    titles = [axis.get_title() for axis in delay_figure(DATA, STAGE).axes[1:]]
    assert titles == [
        r"$n_{\min} = n/5$",
        r"$n_{\min} = 6\,n^{1/2}$",
        r"$n_{\min} = 150\,n^{1/5}$",
    ]
