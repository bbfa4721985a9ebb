"""The figure of attentional Boltzmann machines: its data, and its panels."""

import numpy as np
import pytest

from dynparam.experiments.attentional_boltzmann import figure
from tests import boltzmann

STAGE = boltzmann.stage()
DATA = figure.plotted_data(boltzmann.planted(), STAGE)


def test_growth_lies_on_one_line_at_any_number_of_hidden_units():
    rows = DATA[(DATA["panel"] == "growth") & (DATA["kind"] == "centred")]
    assert len(rows) == 2 * 6
    assert rows["expected"].to_numpy() == pytest.approx(rows["x"].to_numpy() - 1)
    assert rows["value"].to_numpy() == pytest.approx(rows["x"].to_numpy() - 1, abs=1e-3)
    beside = DATA[DATA["kind"] == "shifted"]
    assert beside["x"].tolist() == [3.0, 3.0]
    assert (beside["low"] > beside["expected"]).all()


def test_steps_and_excess_loss_have_their_theory():
    steps = DATA[DATA["panel"] == "escape"].set_index(["kind", "hidden"])["expected"]
    assert steps["fixed"].tolist() == [8.5 * hidden for hidden in (4, 8, 16, 32, 64)]
    assert set(steps["proportional"]) == {34.0}
    excess = DATA[(DATA["panel"] == "mixture") & (DATA["kind"] == "apart")]
    assert np.allclose(excess["expected"], 16 / excess["x"])
    assert ((excess["low"] < excess["expected"]) & (excess["expected"] < excess["high"])).all()


def test_three_panels_show_them():
    left, middle, right = figure.boltzmann_figure(DATA).axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == [
        r"$\lambda-1$", "$K=4$", "$K=16$", "$b$ off the mean"
    ]  # fmt: skip
    assert middle.get_xscale() == middle.get_yscale() == right.get_yscale() == "log"
