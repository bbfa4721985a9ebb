"""The figure of the learning curves: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest

from dynparam.experiments.continual_learning import figure
from tests import continual

STAGE = continual.stage()
MEASURED, EXPECTED = continual.planted()
DATA = figure.plotted_data(MEASURED, EXPECTED, STAGE)


def test_curves_run_over_the_samples_of_the_second_task():
    own = STAGE.continual_learning
    for part, curve in (("gaussian", own.gaussian.curve), ("images", own.images.curve)):
        for quantity in (figure.FIRST, figure.AGAIN, figure.BACK):
            rows = DATA[(DATA["panel"] == part) & (DATA["quantity"] == quantity)]
            assert rows["x"].tolist() == [second / curve.first for second in curve.seconds]
            assert ((rows["low"] < rows["value"]) & (rows["value"] < rows["high"])).all()


@pytest.mark.parametrize(
    ("quantity", "column", "rho"), [("again", "error_second", 1.0), ("back", "error_back", 0.5)]
)
def test_points_are_means_over_trials(quantity, column, rho):
    chosen = MEASURED[
        (MEASURED["part"] == "gaussian")
        & (MEASURED["first"] == 20)
        & (MEASURED["second"] == 5)
        & (MEASURED["similarity"] == rho)
    ]
    (row,) = DATA[
        (DATA["panel"] == "gaussian") & (DATA["quantity"] == quantity) & (DATA["x"] == 0.25)
    ].to_dict("records")
    assert row["value"] == pytest.approx(chosen[column].mean())
    assert row["expected"] == pytest.approx(row["value"], rel=0.01)


def test_similarity_crosses_one_where_theory_says():
    rows = DATA[(DATA["panel"] == "similarity") & (DATA["part"] == "gaussian")]
    assert rows["x"].tolist() == [0.0, 0.5, 1.0]
    assert np.interp(0.5, rows["x"], rows["expected"]) == pytest.approx(1.0)
    smooth = DATA[(DATA["panel"] == "similarity") & (DATA["part"] == "smooth")]
    assert (smooth["expected"] > 1).all()


def test_three_panels_with_theory_and_points():
    drawn = figure.continual_figure(DATA)
    titles = [axis.get_title() for axis in drawn.axes]
    assert titles == ["modes", "images", "error on B / on B alone"]
    assert [len(axis.containers) for axis in drawn.axes] == [2, 2, 3]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gaussian.trials": 7}, "100 modes in 7 draws"),
        ({"images.trials": 7}, "images in 7 draws"),
        ({"gaussian.modes": 90}, "90 modes"),
        ({"images.pool": 50}, "pool of 50 images"),
        ({"images.n": 20}, "ntk at n = 20."),
        ({"gaussian.curve.other": 0.25}, "similarity 0.25 and 0.5"),
        ({"gaussian.smooth.first": 5}, "5 and 60 (smooth)"),
    ],
)
def test_the_caption_has_the_numbers_of_the_settings(changes, said):
    assert said in figure.told(continual.stage(changes))
    assert said not in figure.told(STAGE)


@pytest.mark.parametrize("panel", [0, 1])
def test_axes_have_a_few_round_ticks(panel):
    """The errors on images span less than a power of ten."""
    labels = [label.get_text() for label in figure.continual_figure(DATA).axes[panel].get_yticklabels()]
    assert 3 <= len(labels) <= 8
    assert all(float(label) == float(f"{float(label):.0e}") for label in labels)
