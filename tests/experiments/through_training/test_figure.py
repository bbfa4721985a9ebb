"""The figure: means and intervals of what was measured, every line where it belongs."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.through_training.figure import (
    COLUMNS,
    LOGARITHMIC,
    PANELS,
    plotted_data,
    through_figure,
)
from dynparam.presentation.parametrization_style import look
from dynparam.statistics.estimates import mean_of
from tests.probed import CONFIG_STEPS, planted, through_stage

STAGE = through_stage()
DATA = plotted_data(planted(), STAGE)


def chosen(single=False, **values):
    """The rows with these values, of means or of single seeds."""
    rows = DATA[DATA["seed"].notna() == single]
    for name, value in values.items():
        rows = rows[rows[name] == value]
    return rows


def test_every_network_is_in_every_panel():
    assert list(DATA.columns) == list(COLUMNS)
    through = STAGE.through_training
    for panel in PANELS:
        for task in through.tasks:
            for network in through.networks:
                for name in through.parametrizations:
                    own = chosen(panel=panel, task=task, network=network.name, parametrization=name)
                    steps = CONFIG_STEPS[1:] if panel == "movement" else CONFIG_STEPS
                    assert own["step"].unique().tolist() == list(steps)
                    assert set(own["seeds"]) == {network.seeds}


def test_layers_of_panels():
    assert sorted(chosen(panel="movement")["layer"].unique()) == list(range(7))
    assert chosen(panel="participation")["layer"].unique().tolist() == [STAGE.bottleneck] == [2]
    assert chosen(panel="trace")["layer"].unique().tolist() == [0]


def test_values_are_means_with_their_intervals():
    key = ("bird-cat", "1000-50", "dynamic")
    rows = planted()[key]
    for panel, layer in (("cosine", 0), ("trace", 0), ("participation", 2), ("movement", 3)):
        own = chosen(panel=panel, task=key[0], network=key[1], parametrization=key[2], layer=layer)
        (last,) = own[own["step"] == 640].to_dict("records")
        values = rows[(rows["layer"] == layer) & (rows["step"] == 640)][panel].to_numpy()
        log = panel in LOGARITHMIC
        expected = mean_of(np.log(values) if log else values, 0.95)
        ends = np.array([expected.value, *expected.interval])
        found = [last["value"], last["low"], last["high"]]
        assert found == pytest.approx(np.exp(ends) if log else ends)


def test_few_seeds_have_rows_of_their_own_and_a_single_one_has_none():
    """Of the whole network, or of the layer whose features are shown."""
    assert set(chosen(single=True)["network"]) == {"1000-50"}
    for panel, layer in (("cosine", 0), ("participation", 2), ("movement", 0)):
        own = chosen(single=True, panel=panel, task="bird-cat", parametrization="dynamic")
        assert own["layer"].unique().tolist() == [layer]
        probes = planted()["bird-cat", "1000-50", "dynamic"]
        expected = probes[(probes["layer"] == layer) & probes["step"].isin(own["step"])]
        pd.testing.assert_frame_equal(
            own.pivot(index="step", columns="seed", values="value"),
            expected.pivot(index="step", columns="seed", values=panel),
            check_column_type=False,
        )


def test_one_seed_has_no_interval():
    assert chosen(network="10000-500")[["low", "high"]].isna().all(axis=None)


@pytest.fixture(scope="module")
def figure():
    return through_figure(DATA, STAGE)


def test_lines_are_of_the_first_task_in_the_colour_of_their_parametrization(figure):
    for axis, panel in zip(figure.axes, PANELS, strict=True):
        colours = {line.get_color() for line in axis.lines}
        assert colours == {look("dynamic").colour, look("spectral").colour}
        for name in ("dynamic", "spectral"):
            layer = 2 if panel == "participation" else 0
            own = {"task": "airplane-automobile", "network": "1000-50", "layer": layer}
            expected = chosen(panel=panel, parametrization=name, **own)["value"].to_numpy()
            lines = [line for line in axis.lines if line.get_color() == look(name).colour]
            marked = [line for line in lines if line.get_marker() == look(name).marker]
            thick = [line for line in marked if line.get_linewidth() > 1.5]
            assert len(thick) == 1
            np.testing.assert_allclose(thick[0].get_ydata(), expected)


def test_networks_differ_by_line_style_and_thin_lines_are_seeds_or_layers(figure):
    """Five seeds, and in one panel six layers, of either parametrization."""
    for axis, panel in zip(figure.axes, PANELS, strict=True):
        thick = [line.get_linestyle() for line in axis.lines if line.get_linewidth() > 1]
        assert sorted(thick) == ["-", "-", "--", "--"] or sorted(thick) == ["--", "--", "-", "-"]
        thin = [line.get_linestyle() for line in axis.lines if line.get_linewidth() < 1]
        layers = 12 if panel == "movement" else 0
        assert (thin.count("-"), thin.count(":"), len(thin)) == (10, layers, 10 + layers)
        assert not axis.collections


@pytest.mark.parametrize(("seeds", "single"), [(3, True), (6, False)])
def test_few_seeds_are_thin_lines_and_more_have_a_band(seeds, single):
    tables = {
        place: pd.concat(probes[probes["seed"] == 0].assign(seed=seed) for seed in range(seeds))
        for place, probes in planted().items()
    }
    drawn = through_figure(plotted_data(tables, STAGE), STAGE)
    words = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert ("single seeds" in words) == single
    for axis in drawn.axes:
        thin = [line for line in axis.lines if line.get_linewidth() < 0.6]
        assert len(thin) == (2 * seeds if single else 0)
        assert len(axis.collections) == (0 if single else 2)


def test_axes_and_key(figure):
    scales = {panel: axis.get_yscale() for panel, axis in zip(PANELS, figure.axes, strict=True)}
    assert {panel for panel, scale in scales.items() if scale == "log"} == set(LOGARITHMIC)
    assert "h^{2}" in figure.axes[-1].get_title()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        "spectral",
        "dynamic",
        "1000-50, 5 seeds",
        "10000-500, 1 seed",
        "single layers",
        "single seeds",
    ]


def test_a_network_without_narrow_layers_shows_its_last_hidden_layer():
    plain = STAGE.model_copy(
        update={"network": STAGE.network.model_copy(update={"hidden": ("wide",) * 3})}
    )
    assert plain.bottleneck == 3
    data = plotted_data(planted(plain), plain)
    assert data.loc[data["panel"] == "participation", "layer"].unique().tolist() == [3]
