"""The audit of an archived table: the first steps of one run are made and looked at again, here."""

from __future__ import annotations

import secrets
from pathlib import Path

from dynparam.experiments.through_training.measure import Subject, table
from dynparam.experiments.through_training.settings import ProbeAudit
from dynparam.experiments.through_training.tables import KEY
from dynparam.support.errors import AuditError
from dynparam.support.progress import progress
from dynparam.training.archive import RETRAIN
from dynparam.training.table_archive import KeptTable
from dynparam.training.table_audit import TableAudit, compare


def audit(archived: KeptTable, subject: Subject, limits: ProbeAudit, images: Path) -> TableAudit:
    """Repeat the first steps of an archived run. Raises ``AuditError`` if they differ too much."""
    seed = _chosen_seed(archived, limits)
    label = f"auditing {subject.name}, {subject.settings.protocol.network_name}, seed {seed}"
    with progress(label, subject.work_until(limits.steps)) as advance:
        found, _ = subject.run(seed, advance, until=limits.steps)
    mine = table(found, subject.parametrization)
    what = f"seed {seed}, steps 0 to {limits.steps}"
    return compare(archived, mine, KEY, what, limits.tolerance, images)


def _chosen_seed(archived: KeptTable, limits: ProbeAudit) -> int:
    """The seed to repeat: that of the settings, or any, drawn from the system so that none can know."""
    # What a diverging run computes on its way to infinity is not reproducible.
    seeds = sorted({int(seed) for seed in archived.table["seed"]} - set(archived.diverged))
    if not seeds:
        raise AuditError(f"{archived.path}: all its runs diverged and cannot be audited; {RETRAIN}")
    if limits.seed is None:
        return secrets.choice(seeds)
    if limits.seed not in seeds:
        raise AuditError(
            f"through_training.audit.seed is {limits.seed}, and the archive holds the seeds {seeds}; "
            f"choose one of them, or null"
        )
    return limits.seed
