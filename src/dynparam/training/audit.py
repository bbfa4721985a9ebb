"""The audit of archived curves: the first epochs of one archived run are trained again, here.

Everything a run draws follows from its seed, so only rounding may differ: another processor, another
number of threads or another library adds numbers in another order, and training lets such differences
grow. ``docs/statistics.md`` derives the tolerance from how much they do, and from how far apart two
seeds are.
"""

from __future__ import annotations

import secrets

import numpy as np
import torch

from dynparam.data.images import Pair
from dynparam.support.errors import AuditError
from dynparam.support.progress import progress
from dynparam.training.archive import CurveFile
from dynparam.training.audit_result import AuditResult
from dynparam.training.devices import device_name
from dynparam.training.protocol import Networks, Task, batch_order
from dynparam.training.settings import Audit, RunStage
from dynparam.training.stack_run import curve_row

LOSSES = ["train_loss", "test_loss"]

ACCURACIES = ["train_accuracy", "test_accuracy"]


def audit(
    archived: CurveFile,
    settings: RunStage,
    parametrization: str,
    pair: Pair,
    limits: Audit,
    device: torch.device,
) -> AuditResult:
    """Repeat the first epochs of an archived run. Raises ``AuditError`` if they differ too much."""
    seed = _chosen_seed(archived, limits)
    mine = retrain(settings, parametrization, pair, seed, limits.epochs, device)
    rows = archived.table[archived.table["seed"] == seed].sort_values("epoch")
    theirs = rows[LOSSES + ACCURACIES].to_numpy(float)[: limits.epochs + 1]
    if len(theirs) < len(mine):
        raise AuditError(
            f"archived seed {seed} of {parametrization} ends before epoch {limits.epochs}; "
            f"train it anew with training.reuse none, or audit fewer epochs"
        )
    difference = np.abs(mine - theirs)
    relative = difference[:, :2] / np.abs(mine[:, :2])
    result = AuditResult(
        seed=seed,
        epochs=limits.epochs,
        loss_difference=float(relative.max()),
        accuracy_difference=float(difference[:, 2:].max()),
        tolerance=limits.tolerance,
        accuracy_tolerance=limits.accuracy_tolerance,
        device=device_name(device),
    )
    if not result.passed:
        raise AuditError(_failure(result, settings, parametrization))
    return result


def retrain(
    settings: RunStage,
    parametrization: str,
    pair: Pair,
    seed: int,
    epochs: int,
    device: torch.device,
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The first rows of a run's curve, epochs 0 ... ``epochs``: (epochs + 1, 4)."""
    (name,) = settings.data.pairs
    dtype = getattr(torch, settings.protocol.dtype)
    task = Task.of_pair(pair, settings.inputs.normalization, dtype, device)
    stack = Networks(settings, name, task, parametrization).draw([seed])
    rows = [curve_row(stack.evaluate(), 0)]
    with progress(f"auditing {name}, {parametrization}, seed {seed}", epochs) as advance:
        for epoch in range(1, epochs + 1):
            for batch in batch_order(settings, name, seed, epoch):
                stack.train_batch(batch[None].to(device))
            rows.append(curve_row(stack.evaluate(), 0))
            advance(1)
    return np.array(rows)


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
    (task,) = settings.data.pairs
    return (
        f"the archived curve of {task}, {settings.protocol.network_name}, {parametrization}, seed "
        f"{result.seed} fails its audit: trained here, its losses differ by "
        f"{result.loss_difference:.1e} (tolerance {result.tolerance:.0e}) and its accuracies by "
        f"{result.accuracy_difference:.1e} (tolerance {result.accuracy_tolerance:.0e}); "
        f"do not trust the archive, and set training.reuse to none"
    )
