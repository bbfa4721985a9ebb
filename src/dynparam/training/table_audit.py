"""The audit of archived tables: their beginning is measured again, here, and compared number by number.

Only rounding may differ, and training lets rounding grow (``docs/statistics/audit.md``): so an audit
repeats few steps, and allows a relative difference far above rounding and far below that of two seeds.
At large learning rates rounding grows faster; a run there is allowed what it makes of a small change
(``rounding``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from pydantic.dataclasses import dataclass

from dynparam.provenance.sidecars import checksum, read_sidecar
from dynparam.settings.base import digest, values_digest
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import AuditError, DataError
from dynparam.support.files import sha256
from dynparam.training.archive import RETRAIN
from dynparam.training.audit_result import allowed, limit_sentence
from dynparam.training.table_archive import KeptTable, Kind, read_archived


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class TableAudit:
    """What an audit found, and of what.

    Attributes:
        what: what was measured again, in words.
        rows: how many rows.
        difference: largest relative difference of a number.
        column: where it is.
        tolerance: allowed relative difference.
        table_sha256: of the archived table.
        images_sha256: of the extracted pair.
        moved: how far rounding moves the run up to that row (``rounding.moved``); measured only where
            the tolerance is exceeded.
    """

    what: str
    rows: int
    difference: float
    column: str
    tolerance: float
    table_sha256: str
    images_sha256: str
    moved: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the table is reproduced; what is no size of a difference is not."""
        limit = allowed(self.tolerance, self.moved)
        return math.isfinite(self.difference) and 0 <= self.difference <= limit

    def sentence(self) -> str:
        """The result in words, as tables and captions print it."""
        return (
            f"{self.what} measured again: {self.rows} rows differ by at most {self.difference:.1e} "
            f"relatively {limit_sentence(self.tolerance, self.moved)}"
        )


def compare(
    archived: KeptTable,
    mine: pd.DataFrame,
    key: Sequence[str],
    what: str,
    tolerance: float,
    images: Path,
    moved: Callable[[], FloatArray] | None = None,
) -> TableAudit:
    """Hold the archived rows of the keys of ``mine`` against ``mine``, measured here.

    Args:
        archived: the whole table.
        mine: the rows that were measured again, in the same columns.
        key: the columns that tell rows apart; all others are compared.
        what: what was measured again, in words.
        tolerance: largest relative difference that counts as rounding.
        images: the extracted pair.
        moved: how far rounding moves each row, (rows,); asked where the tolerance is exceeded.

    Raises:
        AuditError: if a row is missing in the archive, or differs by more than the tolerance.
    """
    names = list(key)
    theirs = mine[names].merge(archived.table, "left", on=names, indicator=True)
    if len(theirs) != len(mine) or (theirs["_merge"] != "both").any():
        raise AuditError(
            f"{archived.path}: it lacks rows of {what}, which were measured again; do not trust the "
            f"archive, and {RETRAIN}"
        )
    values = [name for name in mine.columns if name not in names]
    found = relative_differences(theirs[values].to_numpy(float), mine[values].to_numpy(float))
    rounding = np.zeros(len(mine))
    if moved is not None and found.max() > tolerance:
        rounding = moved()
    row, place = worst(found, tolerance, rounding)
    result = TableAudit(
        what=what,
        rows=len(mine),
        difference=float(found[row, place]),
        column=values[place],
        tolerance=tolerance,
        table_sha256=archived.sha256,
        images_sha256=sha256(images),
        moved=float(rounding[row]),
    )
    if not result.passed:
        raise AuditError(
            f"{archived.path} fails its audit: {what} measured here, {result.column} differs by "
            f"{result.difference:.1e} {limit_sentence(tolerance, result.moved)}; do not trust the "
            f"archive, and {RETRAIN}"
        )
    return result


def worst(found: FloatArray, tolerance: float, moved: FloatArray) -> tuple[int, int]:
    """Row and column of the largest difference; of that farthest beyond its limit, if one is beyond.

    ``found`` is (rows, columns), ``moved`` (rows,).
    """
    beside = found / np.array([[allowed(tolerance, float(one))] for one in moved])
    shown = found if (beside <= 1).all() else beside
    row, column = np.unravel_index(int(shown.argmax()), found.shape)
    return int(row), int(column)


def relative_differences(first: FloatArray, second: FloatArray) -> FloatArray:
    """|a - b| over the larger of |a| and |b|, elementwise; 0 for two zeros or two gaps.

    Infinite where one is a gap (nan) and the other a number.

    >>> relative_differences(np.array([1.0, 0.0, np.nan]), np.array([1.25, 0.0, 2.0])).tolist()
    [0.2, 0.0, inf]
    """
    gaps = np.isnan(first), np.isnan(second)
    size = np.maximum(np.abs(first), np.abs(second))
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second) / np.where(size == 0, 1.0, size)
    apart = np.where(gaps[0] & gaps[1], 0.0, apart)
    return np.where(gaps[0] ^ gaps[1], np.inf, apart)


def read_audited(
    csv: Path, kind: Kind, settings: BaseModel, limits: BaseModel, images: Path, audit: Path
) -> tuple[KeptTable, TableAudit]:
    """An archived table and the result of the audit of this very table, which it passed.

    Args:
        csv: the table.
        kind: what it holds, and the stages that make and audit it.
        settings: the configuration it belongs to.
        limits: the settings that its audit had, tolerance included.
        images: the extracted pair.
        audit: the result.

    Raises:
        DataError: for any other table or result; says what differs.
    """
    archived = read_archived(csv, kind, settings, images)
    result, record = _read(audit, kind)
    reason = None
    if (result.table_sha256, result.images_sha256) != (archived.sha256, sha256(images)):
        reason = "the audit of another table, or for other images"
    elif not record["config_sha256"] == digest(limits) == values_digest(record["config"]):
        reason = "an audit under another configuration"
    if reason is not None:
        raise DataError(f"{audit}: {reason}; audit {csv} again, or {RETRAIN}")
    if not result.passed:
        raise DataError(
            f"{audit}: {csv} does not pass this audit; do not trust the archive, and {RETRAIN}"
        )
    return archived, result


def details(kept: KeptTable, audit: TableAudit | None) -> dict[str, Any]:
    """What a sidecar says of where a collected table comes from; its audit if it is archived."""
    return {
        "runs": list(kept.runs),
        "source": "trained here" if audit is None else "archive",
        "audit": None if audit is None else {**asdict(audit), "passed": audit.passed},
        "audit_sentence": None if audit is None else audit.sentence(),
    }


def _read(path: Path, kind: Kind) -> tuple[TableAudit, dict[str, Any]]:
    """An audit's result with its sidecar. Raises ``DataError`` if it is none, or was changed."""
    try:
        record = read_sidecar(path)
        if record["code"]["stage"] != kind.audited or record["checksum"] != checksum(record):
            raise ValueError
        return TableAudit(**record["audit"]), record
    except (DataError, ValueError, KeyError, TypeError):
        raise DataError(
            f"{path}: not an audit's result, or changed since; delete it and run its rule again"
        ) from None
