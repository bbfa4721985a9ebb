"""The figure of fluctuations: its data, and its panels."""

import numpy as np
import pytest

from dynparam.experiments.fluctuations import figure
from dynparam.theory.fluctuations import inverse_sum, variation
from tests import fluctuating

STAGE = fluctuating.stage(n_min=[5, 50, 200], bottlenecks=[1, 2, 4], trials=200)
DATA = figure.plotted_data(
    fluctuating.planted(STAGE.fluctuations), fluctuating.planted_spread(0.25), STAGE
)


def test_every_kind_of_network_has_a_point_beside_theory():
    rows = DATA[DATA["panel"] == "layers"]
    assert len(rows) == 5 * 3 * 3
    for bottlenecks, n_min, x, expected in rows[["bottlenecks", "n_min", "x", "expected"]].to_numpy():
        hidden = STAGE.fluctuations.hidden(int(bottlenecks), int(n_min))
        assert (x, expected) == (inverse_sum(hidden), variation(hidden))
    light = rows[~rows["heavy"].astype(bool)]
    assert set(light["n_min"]) == {50, 200}
    assert light["value"].to_numpy() == pytest.approx(light["expected"].to_numpy(float), rel=0.35)
    inside = (light["low"] <= light["expected"]) & (light["expected"] <= light["high"])
    assert inside.mean() > 0.75


def test_contributions_have_lines_of_their_own():
    rows = DATA[DATA["panel"] == "readout"].set_index(["parametrization", "n_min"])
    assert rows.loc[("ntk", 200), "expected"] > 0.9
    assert rows.loc[("ntk", 200), "expected"] == rows.loc[("standard", 200), "expected"]
    layer = variation(STAGE.fluctuations.hidden(2, 200))
    assert rows.loc[("spectral", 200), "expected"] == pytest.approx(layer, rel=0.01)
    assert (rows["bottlenecks"] == 2).all()


def test_seeds_are_pooled_over_draws():
    for panel in ("loss", "fall"):
        rows = DATA[DATA["panel"] == panel]
        assert len(rows) == 2 * 2 * len(fluctuating.NETWORKS)
        assert (rows["low"] < rows["value"]).all()
        assert np.isfinite(rows["high"]).all()


def test_four_panels_show_them():
    drawn = figure.fluctuations_figure(DATA, STAGE)
    axes = drawn.axes
    assert [axis.get_title() for axis in axes[2:]] == [
        "seeds: training loss, epoch 1",
        "seeds: fall of the loss",
    ]
    assert all(axis.get_xscale() == axis.get_yscale() == "log" for axis in axes)
    (key,) = drawn.legends
    names = [text.get_text() for text in key.get_texts()]
    assert names[:5] == ["ntk", "mup", "spectral", "dynamic", "standard"]
    exact = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert exact == ["exact, 1 bottleneck", "exact, 4 bottlenecks"]


def test_without_other_networks_the_seeds_panels_are_empty():
    alone = DATA[DATA["panel"].isin(["layers", "readout"])]
    drawn = figure.fluctuations_figure(alone, STAGE)
    assert len(drawn.axes) == 4
