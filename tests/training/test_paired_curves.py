"""Curves of one seed under two parametrizations as pairs: what they come to at one place, by hand."""

import numpy as np
import pandas as pd
import pytest

from dynparam.support.errors import DataError
from dynparam.training.paired_curves import JUMPS_PER, join_draws, pair_curves

LAST = 4
LOSSES = {0: [1.0, 0.5, 0.8, 0.3, 0.4], 1: [0.9, 0.7, 0.6, 0.5, 0.5]}
"""A curve of each of two seeds: one rises after epoch 1, by 60 %, and after epoch 3, by a third."""


def curves(parametrization, losses, task="bird-cat"):
    rows = [
        (task, parametrization, seed, epoch, value, value / 2, 1 - value, 1 - value / 2)
        for seed, values in losses.items()
        for epoch, value in enumerate(values)
    ]
    names = ["task", "parametrization", "seed", "epoch"]
    names += ["train_loss", "test_loss", "train_accuracy", "test_accuracy"]
    return pd.DataFrame(rows, columns=names)


def paired(second=None, **options):
    other = {seed: [value + 0.1 for value in values] for seed, values in LOSSES.items()}
    tables = curves("spectral", LOSSES), curves("dynamic", other if second is None else second)
    return pair_curves(*tables, ("spectral", "dynamic"), **options)


@pytest.mark.parametrize(
    ("column", "place", "first"),
    [
        ("train_loss", "epoch 1", [0.5, 0.7]),
        ("train_loss", "last", [0.4, 0.5]),
        ("test_loss", "last", [0.2, 0.25]),
        ("train_loss", "area", [(0.7 + 0.5 + 0.8 + 0.3) / 4, (0.7 + 0.7 + 0.6 + 0.5) / 4]),
        ("train_loss", "best", [0.3, 0.5]),
        ("test_accuracy", "best", [0.85, 0.75]),
        ("train_loss", "jumps", [2 * JUMPS_PER / LAST, 0.0]),
    ],
)
def test_values_at_every_place(column, place, first):
    found = paired().values(column, place, jump=0.2)
    assert found.shape == (2, 2)
    assert found[0] == pytest.approx(first)
    if place not in ("best", "jumps"):
        slope = {"train_loss": 0.1, "test_loss": 0.05}[column]
        assert found[1] - found[0] == pytest.approx(slope)


@pytest.mark.parametrize("jump", [0.2, 0.5])
def test_a_jump_is_a_rise_by_more_than_its_share(jump):
    """One rise is by 60 %, the other by a third."""
    found = paired().values("train_loss", "jumps", jump)
    assert found[0].tolist() == [(2 if jump < 1 / 3 else 1) * JUMPS_PER / LAST, 0.0]


def test_a_pair_counts_until_one_of_its_runs_diverges():
    pairs = paired({0: [1.0, 0.6, np.inf], 1: LOSSES[1]})
    assert np.isnan(pairs.values("train_loss", "last")[:, 0]).all()
    assert np.isnan(pairs.values("test_accuracy", "area")[:, 0]).all()
    assert pairs.values("train_loss", "last")[:, 1].tolist() == [0.5, 0.5]
    assert pairs.values("train_loss", "epoch 1").tolist() == [[0.5, 0.7], [0.6, 0.7]]


def test_seeds_are_those_that_both_have():
    pairs = paired({1: LOSSES[1], 0: LOSSES[0], 7: LOSSES[0]})
    assert pairs.seeds.tolist() == [0, 1]
    assert pairs.unpaired == (0, 1)
    joined = join_draws([pairs, paired(draw=3)])
    assert joined.seeds.tolist() == [0, 1, 0, 1]
    assert joined.draws.tolist() == [0, 0, 3, 3]
    assert joined.unpaired == (0, 1)


def test_a_curve_that_is_cut_short_is_named():
    with pytest.raises(DataError, match="the curve of seed 1 under dynamic on bird-cat is not one row"):
        paired({0: LOSSES[0], 1: LOSSES[1][:3]})
