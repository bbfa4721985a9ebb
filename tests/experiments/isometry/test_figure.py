"""The figure of depth: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest

from dynparam.experiments.isometry import figure
from tests import isometry

STAGE = isometry.stage()
DATA = figure.plotted_data(isometry.planted(), STAGE)


def test_staircases_rise_to_one():
    spectra = DATA[DATA["panel"] == "spectrum"]
    assert sorted(spectra["depth"].unique()) == [3, 4, 64]
    for depth in (3, 4, 64):
        steps = spectra[(spectra["depth"] == depth) & (spectra["kind"] == "measured")]
        assert steps["x"].is_monotonic_increasing
        assert steps["value"].tolist() == pytest.approx(np.linspace(0.1, 1, 10))


def test_theory_of_three_layers_is_whole_and_of_others_where_the_top_begins():
    theory = DATA[(DATA["panel"] == "spectrum") & (DATA["kind"] == "theory")]
    three = theory[theory["depth"] == 3]
    assert three["expected"].is_monotonic_increasing
    assert three["expected"].iloc[-2:].tolist() == pytest.approx([0.5, 1.0], abs=1e-3)
    assert theory.loc[theory["depth"] == 4, "expected"].tolist() == pytest.approx([0.375])


def test_growth_is_measured_with_its_interval():
    rows = DATA[(DATA["panel"] == "growth") & (DATA["kind"] == figure.LARGEST)]
    assert rows["x"].tolist() == [4, 8, 16, 32, 64]
    assert ((rows["low"] < rows["value"]) & (rows["value"] < rows["high"])).all()
    assert np.allclose(rows["value"], rows["expected"], rtol=0.02)
    rates = DATA[(DATA["panel"] == "growth") & (DATA["kind"] == figure.RATE)]
    assert np.allclose(rates["value"], rates["expected"], rtol=0.03)


def test_three_panels_show_them():
    left, middle, right = figure.isometry_figure(DATA).axes
    assert len(left.get_legend().get_texts()) == 4
    assert middle.get_xscale() == middle.get_yscale() == right.get_yscale() == "log"
    assert [text.get_text() for text in right.get_legend().get_texts()] == list(
        STAGE.isometry.bottlenecks.parametrizations
    )
