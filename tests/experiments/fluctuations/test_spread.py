"""How far seeds lie apart: means and variances by draw, and what cannot be compared."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.fluctuations import tables
from dynparam.experiments.fluctuations.settings import for_spread
from dynparam.experiments.fluctuations.spread import spread
from dynparam.support.errors import DataError
from dynparam.training.settings import all_runs
from tests.thesis import CONFIG

STAGE = for_spread(CONFIG)
RUNS = all_runs(CONFIG)


def curves(losses):
    """A table of curves from losses by seed, of epochs 0, 1, ..."""
    rows = [(seed, epoch, loss) for seed, run in losses.items() for epoch, loss in enumerate(run)]
    return pd.DataFrame(rows, columns=["seed", "epoch", "train_loss"])


def made(losses, name="airplane-automobile/1000-50.draw-2/dynamic"):
    return spread(STAGE, {RUNS[name]: curves(losses)}).set_index("quantity")


def test_every_run_counts_with_its_widths_and_draw():
    table = spread(STAGE, {run: curves({0: [0.5, 0.4], 1: [0.5, 0.2]}) for run in RUNS.values()})
    assert len(table) == 2 * len(RUNS)
    tables.SPREAD.check(table, None)
    assert set(table["draw"]) == {0, 1, 2, 3}
    assert set(zip(table["n"], table["n_min"], strict=True)) == {
        (10000, 500), (1000, 50), (2000, 100), (5000, 250), (1000, 10), (1000, 200)
    }  # fmt: skip


def test_losses_and_falls_have_mean_and_variance():
    table = made({3: [0.6, 0.4], 4: [0.5, 0.2], 5: [0.4, 0.3]})
    loss, fall = table.loc["loss"], table.loc["fall"]
    assert (loss["task"], loss["n"], loss["n_min"], loss["draw"]) == ("airplane-automobile", 1000, 50, 2)
    assert loss["inverse_sum"] == pytest.approx(3 / 1000 + 2 / 50)
    assert loss["mean"] == pytest.approx(0.3)
    assert loss["variance"] == pytest.approx(np.var([0.4, 0.2, 0.3], ddof=1))
    assert fall["variance"] == pytest.approx(np.var([0.2, 0.3, 0.1], ddof=1))
    assert fall["seeds"] == 3


def test_seeds_that_diverged_are_left_out():
    table = made({0: [0.5, 0.4], 1: [0.5], 2: [0.5, np.inf], 3: [0.5, 0.3]})
    assert table.loc["loss", "seeds"] == 2
    assert table.loc["loss", "mean"] == pytest.approx(0.35)


def test_a_single_seed_has_no_variance():
    table = made({0: [0.5, 0.4]})
    assert np.isnan(table.loc["loss", "variance"])
    assert tables.SPREAD.check(table.reset_index(), None).shape == (2, 10)


@pytest.mark.parametrize("losses", [{0: [0.5]}, {0: [0.5, np.nan]}])
def test_curves_without_the_epoch_are_told(losses):
    with pytest.raises(DataError, match=r"no run of airplane.*1000-50.draw-2/dynamic has .* epoch 1"):
        made(losses)
