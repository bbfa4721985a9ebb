from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.collections import LineCollection

from dynparam.experiments.alignments.wide_figure import (
    COLUMNS,
    WideCurve,
    local_slopes,
    plotted_data,
    wide_figure,
)
from dynparam.presentation.figure_style import save
from dynparam.support.errors import DataError

WIDTHS = (100, 1000, 10_000, 100_000)


def trials(widths, slope, seed):
    """Two layers, 20 trials; the mean grows as n^slope from n = 1000 on and is constant below."""
    generator = np.random.default_rng(seed)
    rows = [
        {
            "curve": "c",
            "parametrization": "spectral",
            "ratio": "1/5 n",
            "layer": layer,
            "n": n,
            "n_min": n // 5,
            "trial": trial,
            "alignment": layer * max(n, 1000) ** slope * generator.lognormal(-0.02, 0.2),
            "relative_square": 1.0,
        }
        for n in widths
        for trial in range(20)
        for layer in (1, 2)
    ]
    return pd.DataFrame(rows)


def curve(slope=-1.0):
    expected = pd.DataFrame(
        [
            {"layer": layer, "n": n, "alignment": layer * max(n, 1000) ** slope}
            for layer in (1, 2)
            for n in WIDTHS
        ]
    )
    dense = trials(WIDTHS[:2], slope, 1)
    return WideCurve(trials(WIDTHS, slope, 0), dense, expected, (Fraction(-1), Fraction(-1)))


def test_local_slopes_see_the_bend():
    """Each sliding fit against statsmodels; theory's slope is 0, -1/2, -1 before, at, after the bend."""
    known = curve()
    table = local_slopes(known, sliding=2, confidence=0.95)
    assert table.query("layer == 2")["expected"].tolist() == pytest.approx([0, -1, -1])
    for row in table.itertuples():
        window = [n for n in WIDTHS if row.n / 4 < n < row.n * 4]
        mine = known.law[known.law["layer"] == row.layer]
        means = [mine.loc[mine["n"] == n, "alignment"].mean() for n in window]
        line = sm.OLS(np.log(means), sm.add_constant(np.log(window))).fit()
        assert row.value == pytest.approx(line.params[1])
        assert row.low < row.value < row.high
        # 20 trials that scatter by 0.2: a standard error of 0.2/sqrt(20)*sqrt(2)/log(10) = 0.027.
        assert abs(row.value - row.expected) < 5 * 0.027


def test_local_slopes_leave_the_images_out():
    """Norms that scatter by a half change the values above, and no local slope."""
    known = curve()
    norms = np.random.default_rng(5).lognormal(0, 0.5, len(known.law) // 2).repeat(2)
    scattered = known.law.assign(relative_square=norms, alignment=known.law["alignment"] * norms)
    found = [
        local_slopes(replace(known, law=law), sliding=3, confidence=0.95)
        for law in (known.law, scattered)
    ]
    reach = [(one["high"] - one["low"]).to_numpy() for one in found]
    assert reach[1] == pytest.approx(reach[0], rel=0.3)
    assert found[1]["value"].to_numpy() == pytest.approx(found[0]["value"].to_numpy(), abs=0.06)


def test_trials_without_their_images_are_refused():
    known = curve()
    bare = replace(known, law=known.law.drop(columns="relative_square"))
    with pytest.raises(DataError, match=r"trials of c have no column 'relative_square'.*measure them"):
        plotted_data(bare, sliding=3, confidence=0.95)


def test_plotted_data_is_complete():
    table = plotted_data(curve(), sliding=3, confidence=0.95)
    assert tuple(table.columns) == COLUMNS
    assert table["kind"].value_counts().to_dict() == {"law": 8, "dense": 4, "slope": 4}
    assert set(table["asymptotic"]) == {-1.0}
    law = table[(table["kind"] == "law") & (table["layer"] == 1) & (table["n"] == 1000)].iloc[0]
    values = curve().law.query("layer == 1 and n == 1000")["alignment"]
    assert law["value"] == pytest.approx(values.mean())
    assert law["high"] - law["value"] == pytest.approx(values.std(ddof=1))
    assert law["expected"] == pytest.approx(1e-3)


def test_figure_shows_all_curves_and_their_slopes(tmp_path):
    table = plotted_data(curve(), sliding=3, confidence=0.95)
    figure = wide_figure({"left": table, "right": table})
    above, below = figure.axes[:2], figure.axes[2:]
    assert [axis.get_title() for axis in above] == ["left", "right"]
    assert all(axis.get_yscale() == "log" for axis in above)
    assert all(axis.get_xscale() == "log" for axis in figure.axes)
    for axis in below:
        bars = [item for item in axis.collections if isinstance(item, LineCollection)]
        assert len(bars) == 2, "an interval at every local slope, a collection a layer"
    written = save(figure, table, tmp_path / "wide.png", 60)
    assert all(path.stat().st_size for path in written)
