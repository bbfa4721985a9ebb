"""The audit: an honest archive passes, and every kind of tampering it can see fails."""

import time
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch

from dynparam.provenance.record import write_sidecar
from dynparam.support.errors import AuditError, DataError
from dynparam.training import audit as audits
from dynparam.training import rounding
from dynparam.training.archive import CurveFile
from dynparam.training.audit import audit
from dynparam.training.audit_result import Audited, AuditResult, read_result
from dynparam.training.rounding import retrain
from dynparam.training.runs import curve_table, train_seeds
from dynparam.training.settings import Audit
from tests.training_runs import TASK, files_of, invented_pair, plan_of, run_stage, task_of

CPU = torch.device("cpu")
LIMITS = Audit(seed=None, epochs=2, tolerance=1e-3, accuracy_tolerance=5e-3)


@pytest.fixture(scope="module")
def archived(tmp_path_factory):
    """Curves of three seeds under both parametrizations."""
    found = {}
    for name in ("spectral", "dynamic"):
        root = tmp_path_factory.mktemp(name)
        files = files_of(root, run_stage(), name)
        records = train_seeds(plan_of(run_stage(), name), [0, 1, 2], invented_pair(), files)
        found[name] = CurveFile(curve_table(TASK, name, records), ())
    return found


def audited(curves, name="dynamic", limits=LIMITS, settings=None):
    stage = settings or run_stage()
    return audit(curves, stage, name, task_of(stage), limits, CPU)


def changed(curves, change):
    table = curves.table.copy()
    change(table)
    return CurveFile(table, curves.origins)


@pytest.mark.parametrize("name", ["spectral", "dynamic"])
def test_an_honest_archive_passes(archived, name):
    result = audited(archived[name], name)
    assert result.passed
    assert result.loss_difference < 1e-6
    assert result.seed in (0, 1, 2)
    assert f"seed {result.seed} trained again for 2 epochs" in result.sentence()


def test_retraining_repeats_the_archived_rows(archived):
    rows = retrain(run_stage(), "dynamic", task_of(run_stage()), 1, 3, CPU)
    theirs = archived["dynamic"].table.query("seed == 1").iloc[:4, 4:].to_numpy(float)
    assert rows == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("column", ["train_loss", "test_loss"])
@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("factor", [1.01, 0.99])
def test_a_loss_changed_in_the_audited_epochs_fails(archived, column, epoch, factor):
    def change(table):
        table.loc[table["epoch"] == epoch, column] *= factor

    with pytest.raises(AuditError, match=r"fails its audit: .* differ by 1\.\de-02 \(tolerance 1e-03\)"):
        audited(changed(archived["dynamic"], change))


@pytest.mark.parametrize("column", ["train_accuracy", "test_accuracy"])
@pytest.mark.parametrize("by", [0.05, -0.05])
def test_a_changed_accuracy_fails(archived, column, by):
    def change(table):
        table.loc[table["epoch"] == 1, column] += by

    with pytest.raises(AuditError, match="accuracies by 5"):
        audited(changed(archived["dynamic"], change))


def test_swapped_parametrizations_fail(archived):
    with pytest.raises(AuditError, match="do not trust the archive"):
        audited(archived["spectral"], "dynamic")


def test_renumbered_seeds_fail(archived):
    def change(table):
        table["seed"] = (table["seed"] + 1) % 3

    with pytest.raises(AuditError, match="fails its audit"):
        audited(changed(archived["dynamic"], change))


def test_a_number_that_is_not_finite_fails(archived):
    def change(table):
        table.loc[table["epoch"] == 1, "train_loss"] = np.nan

    with pytest.raises(AuditError, match="differ by nan"):
        audited(changed(archived["dynamic"], change))


def test_a_curve_that_ends_early_fails(archived):
    table = archived["dynamic"].table
    short = CurveFile(table[table["epoch"] <= 1], ())
    with pytest.raises(AuditError, match="ends before epoch 2"):
        audited(short)


def test_tampering_later_than_the_audited_epochs_passes(archived):
    """What a spot check cannot see, stated: epochs and seeds it does not repeat."""

    def change(table):
        table.loc[table["epoch"] == 4, "test_loss"] /= 2

    assert audited(changed(archived["dynamic"], change)).passed


def test_the_seed_is_drawn_anew_unless_it_is_given(archived, monkeypatch):
    monkeypatch.setattr(audits.secrets, "choice", lambda seeds: seeds[-1])
    assert audited(archived["dynamic"]).seed == 2
    fixed = LIMITS.model_copy(update={"seed": 1})
    assert audited(archived["dynamic"], limits=fixed).seed == 1
    with pytest.raises(AuditError, match=r"is 9, and the archive holds the seeds \[0, 1, 2\]"):
        audited(archived["dynamic"], limits=LIMITS.model_copy(update={"seed": 9}))


def test_results_are_read_back(tmp_path):
    result = AuditResult(1, 2, 1e-7, 0.0, 1e-3, 5e-3, "cpu")
    path = tmp_path / "audit.json"
    audited = Audited(TASK, "24-7", "dynamic", "0" * 64, "1" * 64, None)
    write_sidecar(
        path,
        [],
        run_stage(),
        started=time.monotonic(),
        code={"stage": "audit_archive", "digest": "0" * 16},
        audit=asdict(result),
        audited=asdict(audited),
    )
    assert read_result(path) == result
    whole = path.read_text()
    damages = ("", "{}", '{"audit": {"seed": 1}}', whole.replace("1e-07", "1e-09"), whole[:-9])
    for damage in damages:
        path.write_text(damage)
        with pytest.raises(DataError, match=r"audit\.json: not an audit's result, or changed since"):
            read_result(path)


def test_both_limits_count():
    def result(loss, accuracy):
        return AuditResult(0, 1, loss, accuracy, 1e-3, 5e-3, "cpu")

    assert result(1e-3, 5e-3).passed
    assert not result(1.1e-3, 0.0).passed
    assert not result(0.0, 6e-3).passed
    for wrong in (float("nan"), float("inf"), -float("inf"), -1e-9):
        assert not result(wrong, 0.0).passed
        assert not result(0.0, wrong).passed


def test_tables_keep_enough_digits(archived, tmp_path):
    """Nine digits in the archive are far finer than the tolerance."""
    path = tmp_path / "curves.csv"
    archived["dynamic"].table.to_csv(path, float_format="%.9g", index=False)
    assert audited(CurveFile(pd.read_csv(path), ())).passed


def test_diverged_runs_are_not_picked(archived):
    table = archived["dynamic"].table
    curves = CurveFile(table, ({"seeds": {}, "diverged": {"0": 3, "2": 1}},))
    assert {audited(curves).seed for _ in range(5)} == {1}
    with pytest.raises(AuditError, match="all archived runs of this curve diverged"):
        audited(CurveFile(table, ({"seeds": {}, "diverged": {"0": 1, "1": 1, "2": 1}},)))


CHAOTIC = {"n": 100, "n_min": 20, "learning_rate": 2.0, "batch_size": 8, "images": (160, 80)}
"""At this rate rounding grows by five orders of magnitude in three epochs."""

STRICT = Audit(seed=None, epochs=3, tolerance=1e-5, accuracy_tolerance=1e-5)


def chaotic_audit(table, limits=STRICT):
    stage = run_stage(**CHAOTIC)
    return audit(CurveFile(table, ()), stage, "dynamic", task_of(stage), limits, CPU)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Curves at a large rate as a machine trained them that adds numbers in another order."""
    stage = run_stage(**CHAOTIC, first_layer="primal")
    files = files_of(tmp_path_factory.mktemp("elsewhere"), stage, "dynamic")
    records = train_seeds(plan_of(stage, "dynamic"), [0, 1], invented_pair(160, 80), files)
    return curve_table(TASK, "dynamic", records)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_a_large_rate_makes_of_rounding_is_allowed(elsewhere, seed):
    result = chaotic_audit(elsewhere, STRICT.model_copy(update={"seed": seed}))
    assert result.passed
    assert result.loss_difference > STRICT.tolerance
    assert result.loss_difference < 10 * result.loss_moved
    assert "since 1e-6 of its initial weights moves this run by" in result.sentence()


@pytest.mark.parametrize(
    ("epoch", "factor"), [(0, 1.001), (0, 0.999), (1, 1.01), (2, 1.01), (3, 1.2), (3, 0.8)]
)
def test_tampering_at_a_large_rate_fails(elsewhere, epoch, factor):
    table = elsewhere.copy()
    table.loc[table["epoch"] == epoch, "train_loss"] *= factor
    with pytest.raises(AuditError, match="fails its audit"):
        chaotic_audit(table)


def test_another_seed_at_a_large_rate_fails(elsewhere):
    with pytest.raises(AuditError, match="fails its audit"):
        chaotic_audit(elsewhere.assign(seed=1 - elsewhere["seed"]))


def test_twins_are_trained_where_a_tolerance_is_exceeded_alone(archived, monkeypatch):
    def untold(*arguments):
        raise AssertionError("twins were trained")

    monkeypatch.setattr(audits, "moved", untold)
    assert audited(archived["dynamic"]).loss_moved == 0


def test_twins_move_a_run_by_the_size_of_their_change_and_more_with_time(monkeypatch):
    stage = run_stage(**CHAOTIC)
    task = task_of(stage)
    mine = retrain(stage, "dynamic", task, 0, 3, CPU)
    found = rounding.moved(stage, "dynamic", task, 0, CPU, mine)[:, :2].max(axis=1)
    assert (np.diff(found) >= 0).all()
    assert 0 < found[0] < 10 * rounding.CHANGE
    assert found[-1] > 100 * rounding.CHANGE
    monkeypatch.setattr(rounding, "CHANGE", 0.0)
    assert (rounding.moved(stage, "dynamic", task, 0, CPU, mine) == 0).all()


def test_a_run_whose_twin_diverges_is_moved_by_all_of_itself(monkeypatch):
    rows = {None: [[1.0, 1.0], [0.5, 0.5]], 0: [[1.0, 1.0], [np.nan, np.inf]]}
    monkeypatch.setattr(rounding, "TWINS", 1)
    monkeypatch.setattr(rounding, "retrain", lambda *run, twin=None: np.array(rows[twin]))
    found = rounding.moved(run_stage(), "dynamic", task_of(run_stage()), 0, CPU, np.array(rows[None]))
    assert found.tolist() == [[0.0, 0.0], [1.0, 1.0]]
