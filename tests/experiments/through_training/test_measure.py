"""Runs that are looked at: the same training, kept when finished, resumed, and ended if they diverge."""

import numpy as np
import pandas as pd
import pytest
import torch

from dynparam.experiments.through_training import measure as measured
from dynparam.experiments.through_training.measure import measure, table
from dynparam.experiments.through_training.moments import moments
from dynparam.experiments.through_training.tables import PROBES
from dynparam.support.errors import DataError
from dynparam.training.protocol import Networks, batch_order, batches_per_epoch
from dynparam.trials.log import TrialLog
from tests.probed import nobody, run_settings, subject
from tests.training_runs import TASK, task_of

SETTINGS = run_settings()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    origin = {"git": {"commit": "abc", "dirty": False}, "versions": {}, "hardware": {}, "device": "cpu"}
    monkeypatch.setattr(measured, "origin_here", lambda device: origin)


@pytest.mark.parametrize(
    ("batches", "epochs", "every", "expected"),
    [
        (5, 4, 2, (0, 1, 2, 4, 8, 10, 20)),
        (32, 5, 2, (0, 1, 2, 4, 8, 16, 32, 64, 128, 160)),
        (3, 1, 4, (0, 1, 2, 3)),
        (1, 1, 1, (0, 1)),
        (4, 3, 1, (0, 1, 2, 4, 8, 12)),
    ],
)
def test_networks_are_looked_at_often_at_first_then_every_few_epochs(batches, epochs, every, expected):
    assert moments(batches, epochs, every) == expected


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
@pytest.mark.parametrize("name", ["spectral", "dynamic"])
def test_looking_changes_no_bit_of_the_training(name, first_layer, monkeypatch):
    """The same stack is trained without a look: weights and velocities are equal, bit for bit."""
    stacks = []
    draw = Networks.draw

    def kept(self, seeds):
        stacks.append(draw(self, seeds))
        return stacks[-1]

    monkeypatch.setattr(Networks, "draw", kept)
    settings = run_settings(first_layer=first_layer)
    subject(name, first_layer=first_layer).run(1, nobody)
    blind = Networks(settings, TASK, task_of(settings), name).draw([1])
    for epoch in range(1, settings.protocol.epochs + 1):
        for batch in batch_order(settings, TASK, 1, epoch):
            blind.train_batch(batch[None])
    for mine, theirs in zip(stacks[0].tensors().values(), blind.tensors().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_row_for_every_layer_and_the_whole_network():
    mine = subject()
    found, diverged = mine.run(0, nobody)
    rows = PROBES.check(table(found, "dynamic"), "table")
    assert diverged is None
    assert rows["step"].unique().tolist() == list(mine.moments)
    assert rows["layer"].unique().tolist() == [0, 1, 2, 3, 4]
    assert len(rows) == 5 * len(mine.moments)
    whole, layers = rows[rows["layer"] == 0], rows[rows["layer"] > 0].groupby("step")
    for name in ("trace", "contribution"):
        np.testing.assert_allclose(whole[name], layers[name].sum(), rtol=1e-9)
    assert (rows.loc[rows["step"] == 0, ["movement"]] == 0).all(axis=None)
    np.testing.assert_allclose(rows.loc[rows["step"] == 0, ["cosine", "centred_cosine"]], 1)
    assert rows.loc[rows["layer"].isin([0, 4]), ["participation", "class_ratio"]].isna().all(axis=None)


def test_the_network_moves_by_all_of_its_layers_together():
    mine = subject()
    initial = [w.double() for w in measured.initial_weights(mine.settings, TASK, mine.scales, 0)]
    squares = np.array([w.square().sum().item() for w in initial])
    found, _ = mine.run(0, nobody)
    last = table(found, "dynamic").query(f"step == {mine.moments[-1]}")
    moved = last.loc[last["layer"] > 0, "movement"].to_numpy()
    expected = np.sqrt((moved**2 * squares).sum() / squares.sum())
    assert last.loc[last["layer"] == 0, "movement"].item() == pytest.approx(expected, rel=1e-6)


def test_the_beginning_of_a_run_is_that_of_the_whole():
    mine = subject()
    whole, _ = mine.run(2, nobody)
    start, _ = mine.run(2, nobody, until=4)
    # At the output there are no features: gaps, which equal nothing.
    np.testing.assert_array_equal(start, whole[: len(start)])
    assert {row[1] for row in start} == {0, 1, 2, 4}


def test_progress_adds_up_to_what_was_announced():
    mine, told = subject(), []
    mine.run(0, lambda amount, note="": told.append(amount))
    assert sum(told) == mine.work_until(mine.moments[-1])


def both(runs):
    """The rows of all runs in one table."""
    return table((row for run in runs for row in run.rows), "dynamic")


def log_at(path):
    return TrialLog(path / "table.csv", "probes", "identity")


def test_finished_runs_are_not_made_again(tmp_path, monkeypatch):
    mine = subject()
    first = measure(mine, [0, 1], log_at(tmp_path))
    calls = []
    run = mine.run
    monkeypatch.setattr(mine, "run", lambda seed, advance: calls.append(seed) or run(seed, advance))
    again = measure(mine, [0, 1], log_at(tmp_path))
    assert calls == []
    pd.testing.assert_frame_equal(both(first), both(again))


def test_an_interrupted_measurement_goes_on_after_its_last_finished_run(tmp_path, monkeypatch):
    mine = subject()
    whole = both(measure(mine, [0, 1, 2], log_at(tmp_path / "whole")))
    run = mine.run

    def killed(seed, advance):
        if seed == 1:
            raise KeyboardInterrupt
        return run(seed, advance)

    monkeypatch.setattr(mine, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        measure(mine, [0, 1, 2], log_at(tmp_path))
    monkeypatch.setattr(
        mine, "run", lambda seed, advance: pytest.fail("again") if seed == 0 else run(seed, advance)
    )
    pd.testing.assert_frame_equal(both(measure(mine, [0, 1, 2], log_at(tmp_path))), whole)


def test_a_log_of_other_runs_is_refused(tmp_path):
    measure(subject(), [0], log_at(tmp_path))
    with pytest.raises(DataError, match="it is of no run of this measurement"):
        measure(subject(), [1], log_at(tmp_path))


def test_a_run_that_diverges_ends_before(tmp_path):
    mine = subject(learning_rate=1e4)
    (run,) = measure(mine, [0], log_at(tmp_path))
    assert run.diverged_at is not None
    last = max(row[1] for row in run.rows)
    assert last < mine.moments[-1]
    assert run.diverged_at <= mine.settings.protocol.epochs
    assert np.isfinite(both([run])[["loss", "trace"]]).all(axis=None)


def test_epochs_have_the_batches_of_the_protocol():
    assert subject().moments[-1] == 4 * batches_per_epoch(SETTINGS)
