"""The figure of loss against rate: its data are those of the curves, and every scheme is told apart."""

import numpy as np
import pytest

from dynparam.experiments.best_rate import columns, figure
from dynparam.experiments.best_rate.settings import for_best_rates
from tests import arms

STAGE = for_best_rates(arms.RATES)
DATA = figure.plotted_data(arms.tables("best_rate"), STAGE)


def test_points_are_means_over_seeds():
    own = STAGE.best_rate.networks[0]
    rows = DATA[(DATA["scheme"] == "dynamic") & (DATA["quantity"] == "training loss, mean over epochs")]
    assert len(rows) == len(STAGE.best_rate.tasks) * len(STAGE.best_rate.rates(own))
    table = arms.tables("best_rate")[f"best_rate/{STAGE.best_rate.tasks[0]}/{own.name}/dynamic"]
    runs = table[table["learning_rate"] == 0.1].pivot_table(
        index="epoch", columns="seed", values="train_loss"
    )
    expected = np.trapezoid(runs.to_numpy(), axis=0).mean() / own.epochs
    here = rows[(rows["learning_rate"] == 0.1) & (rows["task"] == STAGE.best_rate.tasks[0])]
    assert here["value"].tolist() == pytest.approx([expected])
    assert (DATA["low"] <= DATA["high"]).all()


def test_one_rate_of_each_scheme_is_the_best():
    best = DATA[DATA["best"]].groupby(["task", "network", "scheme", "quantity"]).size()
    assert set(best) == {1}


def test_rates_at_which_a_run_diverges_are_left_out():
    tables = dict(arms.tables("best_rate"))
    place, table = next(iter(tables.items()))
    gone = table["epoch"] == STAGE.best_rate.networks[0].epochs
    gone &= (table["learning_rate"] == table["learning_rate"].max()) & (table["seed"] == 0)
    tables[place] = table.assign(train_loss=table["train_loss"].where(~gone))
    assert len(figure.plotted_data(tables, STAGE)) == len(DATA) - len(figure.SHOWN)


def test_a_column_for_each_network_and_a_line_for_each_scheme():
    drawn = figure.best_rate_figure(DATA, STAGE)
    own = STAGE.best_rate
    networks = len(own.tasks) * len({one.name for one in own.networks})
    assert len(drawn.axes) == len(figure.SHOWN) * networks
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert labels[:2] == ["spectral", "dynamic"]
    assert "spectral, rates of dynamic" in labels
    looks = {
        (line.get_color(), line.get_linestyle(), line.get_marker())
        for line in drawn.legends[0].get_lines()
    }
    assert len(looks) == len(labels)
    drawn.canvas.draw()


def test_what_is_near_the_best_is_shown_and_the_best_of_every_scheme_with_it():
    drawn = figure.best_rate_figure(DATA, STAGE)
    for axis in drawn.axes:
        low, high = axis.get_ylim()
        marks = [line for line in axis.get_lines() if line.get_linestyle() == "None"]
        values = np.concatenate([np.asarray(mark.get_ydata(), float) for mark in marks])
        assert len(values) >= len(STAGE.best_rate.networks[0].schemes)
        assert ((low < values) & (values < high)).all()


def test_words_of_the_table():
    assert columns.rate(0.00625, "smallest") == "0.00625 (the smallest tried)"
    assert columns.rate(0.4, float("nan")) == "0.4"
    assert columns.octaves(0.05, 0.4) == "0.05 to 0.4, 3 octaves"
