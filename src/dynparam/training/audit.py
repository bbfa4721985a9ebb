"""The audit of archived curves: the first epochs of one archived run are trained again, here.

Everything a run draws follows from its seed, so only rounding may differ: another processor, another
number of threads or another library adds numbers in another order, and training lets such differences
grow. ``docs/statistics/audit.md`` derives the tolerance from how much they do, and from how far apart
two seeds are; a run that exceeds it is allowed what its twins make of a small change (``rounding``).
"""

from __future__ import annotations

import secrets

import numpy as np
import torch

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import AuditError
from dynparam.training.archive import CurveFile
from dynparam.training.audit_result import AuditResult, limit_sentence
from dynparam.training.devices import device_name
from dynparam.training.protocol import Task
from dynparam.training.rounding import moved, retrain
from dynparam.training.settings import Audit, RunStage
from dynparam.training.table_audit import worst

LOSSES = ["train_loss", "test_loss"]

ACCURACIES = ["train_accuracy", "test_accuracy"]


def audit(
    archived: CurveFile,
    settings: RunStage,
    parametrization: str,
    task: Task,
    limits: Audit,
    device: torch.device,
) -> AuditResult:
    """Repeat the first epochs of an archived run. Raises ``AuditError`` if they differ too much."""
    seed = _chosen_seed(archived, limits)
    mine = retrain(settings, parametrization, task, seed, limits.epochs, device)
    rows = archived.table[archived.table["seed"] == seed].sort_values("epoch")
    theirs = rows[LOSSES + ACCURACIES].to_numpy(float)[: limits.epochs + 1]
    if len(theirs) < len(mine):
        raise AuditError(
            f"archived seed {seed} of {parametrization} ends before epoch {limits.epochs}; "
            f"train it anew with training.reuse none, or audit fewer epochs"
        )
    result = _compared(mine, theirs, np.zeros_like(mine), seed, limits, device)
    if not result.passed:
        twins = moved(settings, parametrization, task, seed, device, mine)
        result = _compared(mine, theirs, twins, seed, limits, device)
    if not result.passed:
        raise AuditError(_failure(result, settings, parametrization))
    return result


def _compared(
    mine: FloatArray,
    theirs: FloatArray,
    twins: FloatArray,
    seed: int,
    limits: Audit,
    device: torch.device,
) -> AuditResult:
    """Two beginnings of a curve, where rounding moves it by ``twins``; all (epochs + 1, 4)."""
    difference = np.abs(mine - theirs)
    losses, accuracies = difference[:, :2] / np.abs(mine[:, :2]), difference[:, 2:]
    loss_moved, accuracy_moved = twins[:, :2].max(axis=1), twins[:, 2:].max(axis=1)
    loss = worst(losses, limits.tolerance, loss_moved)
    accuracy = worst(accuracies, limits.accuracy_tolerance, accuracy_moved)
    return AuditResult(
        seed=seed,
        epochs=limits.epochs,
        loss_difference=float(losses[loss]),
        accuracy_difference=float(accuracies[accuracy]),
        tolerance=limits.tolerance,
        accuracy_tolerance=limits.accuracy_tolerance,
        device=device_name(device),
        loss_moved=float(loss_moved[loss[0]]),
        accuracy_moved=float(accuracy_moved[accuracy[0]]),
    )


def _chosen_seed(archived: CurveFile, limits: Audit) -> int:
    # What a diverging run computes on its way to infinity is not reproducible.
    seeds = [seed for seed in archived.seeds if seed not in archived.diverged]
    if not seeds:
        raise AuditError(
            "all archived runs of this curve diverged and cannot be audited; set training.reuse to none"
        )
    if limits.seed is None:
        # Drawn from the system, so that nobody can know which run will be looked at.
        return secrets.choice(seeds)
    if limits.seed not in seeds:
        raise AuditError(
            f"training.audit.seed is {limits.seed}, and the archive holds the seeds {seeds}; "
            f"choose one of them, or null"
        )
    return limits.seed


def _failure(result: AuditResult, settings: RunStage, parametrization: str) -> str:
    (pair,) = settings.data.pairs
    return (
        f"the archived curve of {pair}, {settings.protocol.network_name}, {parametrization}, seed "
        f"{result.seed} fails its audit: trained here, its losses differ by "
        f"{result.loss_difference:.1e} {limit_sentence(result.tolerance, result.loss_moved)} and its "
        f"accuracies by {result.accuracy_difference:.1e} "
        f"{limit_sentence(result.accuracy_tolerance, result.accuracy_moved)}; "
        f"do not trust the archive, and set training.reuse to none"
    )
