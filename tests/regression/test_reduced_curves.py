"""Training curves at reduced width against committed references, on the official data."""

import os

import numpy as np
import pandas as pd
import pytest

from tests.regression import reduced
from tests.tolerances import CURVES_EARLY, CURVES_LATE

LOSSES = ["train_loss", "test_loss"]
EARLY = 3  # epochs

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not reduced.ARCHIVE.exists() or "DYNPARAM_CIFAR10_HASHES" in os.environ,
        reason="DYNPARAM_CIFAR10_ARCHIVE does not name the official archive",
    ),
    pytest.mark.skipif(
        not reduced.same_numbers_expected(), reason="another torch may draw other numbers"
    ),
]


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    return reduced.train(reduced.configuration(), tmp_path_factory.mktemp("curves"))


@pytest.fixture(scope="module")
def references():
    return pd.read_csv(reduced.CURVES)


def differences(curves, references):
    """Largest relative difference of a loss in each row."""
    keys = ["task", "parametrization", "seed", "epoch"]
    both = curves.merge(references, on=keys, suffixes=("", "_reference"), validate="one_to_one")
    assert len(both) == len(references) == len(curves)
    reference = both[[f"{name}_reference" for name in LOSSES]].to_numpy()
    both["difference"] = (np.abs(both[LOSSES].to_numpy() - reference) / reference).max(axis=1)
    return both


def test_curves_are_the_committed_ones(curves, references):
    both = differences(curves, references)
    early = both["epoch"] <= EARLY
    assert both.loc[early, "difference"].max() <= CURVES_EARLY
    assert both.loc[~early, "difference"].max() <= CURVES_LATE


def test_another_seed_is_not_mistaken_for_the_committed_one(references):
    """The tolerance tells any two seeds apart, so that it would notice a wrong draw or rule."""
    for _, runs in references.groupby(["task", "parametrization"]):
        table = runs.pivot(index="epoch", columns="seed", values="train_loss")
        for first, second in [(0, 1), (0, 2), (1, 2)]:
            apart = (table[first] - table[second]).abs() / table[first]
            assert apart[: EARLY + 1].max() > CURVES_EARLY
