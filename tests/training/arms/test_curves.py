"""Curves of arms as arrays: places, divergence, what is missing."""

import numpy as np
import pytest

from dynparam.support.errors import DataError
from dynparam.training.arms.curves import Curves
from dynparam.training.arms.settings import Arm
from dynparam.training.summary import VALIDATED_METRICS

LOSS = VALIDATED_METRICS.index("train_loss")
TEST = VALIDATED_METRICS.index("test_loss")
VALIDATION = VALIDATED_METRICS.index("validation_loss")


def curves(chosen_by="validation_loss"):
    """Two arms, two seeds, three epochs; the second arm's last run diverges."""
    values = np.full((2, 2, len(VALIDATED_METRICS), 4), 0.5)
    values[:, :, LOSS] = [4.0, 2.0, 1.0, 0.0]
    values[:, :, TEST] = [9.0, 8.0, 7.0, 6.0]
    values[0, :, VALIDATION] = [[3.0, 1.0, 2.0, 2.0], [3.0, 2.0, 2.0, 1.0]]
    values[1, :, VALIDATION] = [3.0, 0.5, 0.5, 0.4]
    values[1, 1, :, 2:] = np.nan
    return Curves(values, chosen_by)


def test_places_of_a_curve():
    found = curves()
    assert found.at("train_loss", "area")[0].tolist() == pytest.approx([5 / 3, 5 / 3])
    assert found.at("test_loss", "last")[0].tolist() == [6.0, 6.0]
    # The best epoch is that of the validation images: 1 and 3.
    assert found.at("test_loss", "best")[0].tolist() == [8.0, 6.0]


def test_an_arm_with_a_run_that_diverges_is_not_the_best():
    found = curves()
    assert found.whole.tolist() == [[True, True], [True, False]]
    assert found.learns.tolist() == [True, False]
    assert np.isnan(found.at("test_loss", "best")[1, 1])
    assert found.scores().tolist() == [1.0, np.inf]
    assert found.best() == 0


def test_an_arm_that_ends_above_its_start_does_not_learn():
    found = curves()
    found.values[0, 0, LOSS, -1] = 4.5
    assert found.learns.tolist() == [False, False]


def test_accuracies_choose_by_what_is_told_wrong():
    found = curves("validation_accuracy")
    found.values[0, :, VALIDATED_METRICS.index("validation_accuracy")] = [0.5, 0.6, 0.9, 0.7]
    assert found.best_epochs[0].tolist() == [2, 2]
    assert found.scores()[0] == pytest.approx(0.1)


def test_no_arm_without_divergence():
    found = curves()
    found.values[0, 0, :, -1] = np.inf
    with pytest.raises(DataError, match="diverged in every arm"):
        found.best()


def test_a_table_that_lacks_an_epoch_is_told(planted_table):
    stage, table = planted_table
    whole = Curves.of(table, stage.arms, stage.seeds, stage.protocol.epochs, "validation_loss")
    assert whole.values.shape == (len(stage.arms), stage.seeds, 6, stage.protocol.epochs + 1)
    for wrong in (table[table["epoch"] != 1], table[table["seed"] != 1]):
        with pytest.raises(DataError, match="lacks epochs of seed"):
            Curves.of(wrong, stage.arms, stage.seeds, stage.protocol.epochs, "validation_loss")


def test_an_arm_is_told_in_words():
    arm = Arm(
        initialization="spectral",
        parametrization="dynamic",
        learning_rate=0.1,
        weight_decay=0.01,
        r="1/4",
    )
    assert arm.sentence() == "dynamic, initial scales of spectral, eta = 0.1, lambda = 0.01, r = 1/4"
