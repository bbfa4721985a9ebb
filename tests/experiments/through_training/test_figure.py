"""The figure: means and intervals of what was measured, every line where it belongs."""

import numpy as np
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


def chosen(**values):
    rows = DATA
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
            assert len(marked) == 1
            np.testing.assert_allclose(marked[0].get_ydata(), expected)


def test_networks_differ_by_line_style_and_layers_are_thin(figure):
    movement = figure.axes[list(PANELS).index("movement")]
    assert len(movement.lines) == 2 * (1 + 6 + 1)
    assert {line.get_linestyle() for line in movement.lines} == {"-", "--"}
    assert sum(line.get_linewidth() < 1 for line in movement.lines) == 12


def test_axes_and_key(figure):
    scales = {panel: axis.get_yscale() for panel, axis in zip(PANELS, figure.axes, strict=True)}
    assert {panel for panel, scale in scales.items() if scale == "log"} == set(LOGARITHMIC)
    assert "h^{2}" in figure.axes[-1].get_title()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["spectral", "dynamic", "1000-50, 5 seeds", "10000-500, 1 seed", "single layers"]


def test_a_network_without_narrow_layers_shows_its_last_hidden_layer():
    plain = STAGE.model_copy(
        update={"network": STAGE.network.model_copy(update={"hidden": ("wide",) * 3})}
    )
    assert plain.bottleneck == 3
    data = plotted_data(planted(plain), plain)
    assert data.loc[data["panel"] == "participation", "layer"].unique().tolist() == [3]
