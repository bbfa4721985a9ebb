"""The result of an audit of archived curves, apart from what makes it: readers need no tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from dynparam.provenance.sidecars import checksum, read_sidecar
from dynparam.settings.base import differences, digest, pick, values_digest
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.files import sha256
from dynparam.training.archive import RETRAIN, CurveFile, read_archive
from dynparam.training.settings import AuditedRun, CollectedRun, RunStage

CLOSED = ConfigDict(strict=True, extra="forbid")

MARGIN = 10
"""A difference up to so many times what rounding moves a run by counts as rounding."""

STAGE = "audit_archive"
"""The stage whose sidecar an audit's result is."""


def allowed(tolerance: float, moved: float) -> float:
    """The largest difference that counts as rounding, where rounding moves the run by ``moved``.

    >>> allowed(0.005, moved=0.0), allowed(0.005, moved=0.002)
    (0.005, 0.02)
    """
    return max(tolerance, MARGIN * moved)


def limit_sentence(tolerance: float, moved: float) -> str:
    """The limit in words, in parentheses."""
    if allowed(tolerance, moved) == tolerance:
        return f"(tolerance {tolerance:.0e})"
    return (
        f"(tolerance {allowed(tolerance, moved):.0e}, since 1e-6 of its initial weights moves this run "
        f"by {moved:.0e})"
    )


@dataclass(frozen=True, config=CLOSED)
class AuditResult:
    """What an audit found.

    Attributes:
        seed: the archived run that was repeated.
        epochs: the epochs repeated, from the initialization on.
        loss_difference: largest relative difference of a loss.
        accuracy_difference: largest difference of an accuracy.
        tolerance: allowed relative difference of a loss.
        accuracy_tolerance: allowed difference of an accuracy.
        device: what repeated it.
        loss_moved: how far rounding moves a loss of this run (``rounding.moved``) up to the epoch of the
            largest difference; measured only where a tolerance is exceeded.
        accuracy_moved: the same of an accuracy.
    """

    seed: int
    epochs: int
    loss_difference: float
    accuracy_difference: float
    tolerance: float
    accuracy_tolerance: float
    device: str
    loss_moved: float = 0.0
    accuracy_moved: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the archived curve is reproduced; what is no size of a difference is not."""
        return (
            math.isfinite(self.loss_difference)
            and math.isfinite(self.accuracy_difference)
            and 0 <= self.loss_difference <= allowed(self.tolerance, self.loss_moved)
            and 0 <= self.accuracy_difference <= allowed(self.accuracy_tolerance, self.accuracy_moved)
        )

    def sentence(self) -> str:
        """The result in words, as sidecars and tables have it."""
        return (
            f"seed {self.seed} trained again for {_counted(self.epochs)}: losses differ by at most "
            f"{self.loss_difference:.1e} relatively {limit_sentence(self.tolerance, self.loss_moved)}"
        )


@dataclass(frozen=True, config=CLOSED)
class Audited:
    """What was audited, by its content and not by its name.

    Attributes:
        task: the pair of classes.
        network: its widths, as in ``10000-500``.
        parametrization: its name.
        table_sha256: of the archived table.
        images_sha256: of the extracted pair.
        chosen_seed: ``training.audit.seed``, ``None`` if the seed was drawn.
    """

    task: str
    network: str
    parametrization: str
    table_sha256: str
    images_sha256: str
    chosen_seed: int | None


def read_result(path: Path) -> AuditResult:
    """An audit's result. Raises ``DataError`` if it cannot be read, or was changed."""
    return _read(path)[0]


def audited(curves: CurveFile, settings: AuditedRun, images_sha256: str) -> Audited:
    """What an audit of these curves is an audit of; ``settings`` are those of their task."""
    return Audited(
        task=curves.task,
        network=settings.protocol.network_name,
        parametrization=curves.parametrization,
        table_sha256=curves.sha256,
        images_sha256=images_sha256,
        chosen_seed=settings.training.audit.seed,
    )


def read_audited(
    csvs: Sequence[Path], settings: CollectedRun, images: Path, audit: Path
) -> tuple[CurveFile, AuditResult]:
    """Archived curves and the result of the audit of these very curves, which they passed.

    Args:
        csvs: the table, one.
        settings: those of its task, with the limits that its audit had.
        images: the extracted pair.
        audit: the result.

    Raises:
        ConfigError: if there are no limits.
        DataError: for any other table or result; says what differs.
    """
    if settings.training is None:
        raise ConfigError("training.audit is not in the configuration; name one that has it by --config")
    if len(csvs) != 1:
        raise DataError(f"{audit}: an audit is of one table; name the one that it is of and no other")
    curves = read_archive(csvs[0], pick(RunStage, settings), images)
    limited = pick(AuditedRun, settings)
    result, subject, record = _read(audit)
    reason = (
        _other(subject, audited(curves, limited, sha256(images)))
        or _other_configuration(record, limited)
        or _other_limits(result, limited)
        or _other_seed(result, curves)
    )
    if reason is not None:
        again = f"run dynparam audit {curves.task} {curves.parametrization} on these curves again"
        raise DataError(f"{audit}: {reason}; {again}, or {RETRAIN}")
    if not result.passed:
        raise DataError(
            f"{audit}: {csvs[0]} does not pass this audit; do not trust the archive, and {RETRAIN}"
        )
    return curves, result


def _other(found: Audited, wanted: Audited) -> str | None:
    pairs = zip(asdict(found).items(), asdict(wanted).values(), strict=True)
    differing = [
        key.removesuffix("_sha256").replace("_", " ") for (key, one), two in pairs if one != two
    ]
    return f"the audit of something else (by its {', '.join(differing)})" if differing else None


def _other_configuration(record: Mapping[str, Any], settings: AuditedRun) -> str | None:
    if record["config_sha256"] == digest(settings) == values_digest(record["config"]):
        return None
    changed = ", ".join(differences(record["config"], settings.model_dump(mode="json")))
    return f"an audit under another configuration ({changed})"


def _other_limits(result: AuditResult, settings: AuditedRun) -> str | None:
    limits = settings.training.audit
    same = (
        result.epochs == limits.epochs
        and result.tolerance == limits.tolerance
        and result.accuracy_tolerance == limits.accuracy_tolerance
        and limits.seed in (None, result.seed)
    )
    return None if same else "an audit with other limits than training.audit"


def _other_seed(result: AuditResult, curves: CurveFile) -> str | None:
    whole = set(curves.seeds) - set(curves.diverged)
    return None if result.seed in whole else f"an audit of seed {result.seed}, which has no whole run"


def _read(path: Path) -> tuple[AuditResult, Audited, Mapping[str, Any]]:
    try:
        record = read_sidecar(path)
        if record["code"]["stage"] != STAGE or record["checksum"] != checksum(record):
            raise ValueError
        return AuditResult(**record["audit"]), Audited(**record["audited"]), record
    except (DataError, ValueError, KeyError, TypeError):
        raise DataError(
            f"{path}: not an audit's result, or changed since; delete it and run its rule again"
        ) from None


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
