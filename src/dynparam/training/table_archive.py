"""The archive of tables measured on training runs: of any form, with the settings each belongs to.

An archived table is what its stage has measured, number by number. The sidecar beside it names the
configuration and the images it belongs to, the table's SHA-256, and under ``runs`` where its runs were
made, as that of curves does (``curve_record``). Nothing is read before these fit; and an archived table
goes into a result through its audit alone, in which its beginning is measured again
(``table_audit``).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from dynparam.support.errors import DataError
from dynparam.support.regular_files import RefusedError, read_bytes
from dynparam.support.tables import Form
from dynparam.training.archive import REMAKE, RESTORE, RETRAIN, require_archived, require_fits
from dynparam.training.curve_record import MAX_TABLE_BYTES, CurveRecord, read_record


@dataclass(frozen=True)
class Kind:
    """Tables of one kind: what they hold, and the stages that make them.

    Attributes:
        form: what each column holds; one of them may be ``seed``, that of a row's run.
        measured: the stage that measures them, as sidecars name it.
        audited: the stage that audits archived ones.
    """

    form: Form
    measured: str
    audited: str


@dataclass(frozen=True)
class KeptTable:
    """A table whose provenance has been read and fits.

    Attributes:
        path: its file.
        table: its rows.
        runs: what made them, an entry per machine and commit with its seeds (``runs.origins``).
        sha256: of the file.
    """

    path: Path
    table: pd.DataFrame
    runs: tuple[Mapping[str, Any], ...]
    sha256: str

    @property
    def diverged(self) -> list[int]:
        """The seeds whose runs diverged."""
        return [int(seed) for origin in self.runs for seed in origin["diverged"]]


def read_archived(csv: Path, kind: Kind, settings: BaseModel, images: Path) -> KeptTable:
    """An archived table of this very configuration and these images.

    Raises ``DataError`` naming what differs if it is of another, is missing, damaged or was changed.
    """
    require_archived(csv)
    record, values = read_record(csv, RESTORE)
    require_fits(csv, record, settings, images, "archived", RETRAIN)
    return _read(csv, kind, record, values, RESTORE)


def read_measured(csv: Path, kind: Kind, settings: BaseModel, images: Path) -> KeptTable:
    """A table of this configuration and these images as its stage has measured it here.

    Raises ``DataError`` for others: archived ones need an audit.
    """
    record, values = read_record(csv, REMAKE)
    if record.code is None or record.code.stage != kind.measured or record.checksum is None:
        raise DataError(
            f"{csv}: this table was not measured here, and an archived one is read with its audit "
            f"alone; name the audit's result, or {RETRAIN}"
        )
    require_fits(csv, record, settings, images, "measured", REMAKE)
    return _read(csv, kind, record, values, REMAKE)


def require_committed(kept: KeptTable) -> None:
    """Raise ``DataError`` unless all runs of a table were made by code that a commit holds.

    An archived table has to say which code made it, and only a commit does.
    """
    for origin in kept.runs:
        state = origin["git"]
        if state["commit"] is None or state["dirty"] is not False:
            raise DataError(
                f"{kept.path}: seeds {', '.join(origin['seeds'])} were measured by code that no commit "
                f"holds; commit it, and measure them again before they are archived"
            )


def _read(
    csv: Path, kind: Kind, record: CurveRecord, values: Mapping[str, Any], remedy: str
) -> KeptTable:
    """The table beside a sidecar that has been read. Raises ``DataError`` if it is not that one."""
    try:
        # Read once: what is parsed is what was hashed.
        content = read_bytes(csv, MAX_TABLE_BYTES)
    except RefusedError as error:
        raise DataError(f"{csv}: {error}; {remedy}") from None
    found = hashlib.sha256(content).hexdigest()
    if record.outputs[csv.name] != found:
        raise DataError(f"{csv}: not the table its sidecar describes; {remedy}")
    try:
        table = pd.read_csv(io.BytesIO(content))
    except ValueError as error:
        raise DataError(f"{csv}: {' '.join(str(error).split())}; {remedy}") from None
    kind.form.check(table, csv)
    if "seed" in table.columns:
        _require_seeds(csv, table["seed"].unique().tolist(), record.run_seeds, remedy)
    return KeptTable(csv, table, tuple(values["runs"]), found)


def _require_seeds(csv: Path, found: Iterable[int], named: Iterable[int], remedy: str) -> None:
    """Raise ``DataError`` unless a table holds the seeds that its sidecar names."""
    if sorted(found) != sorted(named):
        raise DataError(f"{csv}: its seeds are not those that its sidecar names; {remedy}")
