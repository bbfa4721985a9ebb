"""The archive of training curves: small tracked tables that spare everyone else the full training.

Beside each table lies its provenance: the configuration and the images it belongs to, the table's
SHA-256, and where every run was made. Nothing is taken from the archive before these fit, and no table
of curves is read that holds what no training writes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from dynparam.settings.base import differences, digest, values_digest
from dynparam.support.errors import DataError
from dynparam.support.files import sha256
from dynparam.support.regular_files import RefusedError, read_bytes, refusal
from dynparam.theory.parametrization import NAMES
from dynparam.training.curve_record import (
    MAX_TABLE_BYTES,
    CurveRecord,
    read_record,
    require_collected,
)
from dynparam.training.curve_table import parse_table, require_runs
from dynparam.training.settings import RunStage

TRAINED = "train_seeds"
"""The stage that trains, as sidecars name it."""

RETRAIN = "set training.reuse to none to train its runs here"

RESTORE = f"restore it, or {RETRAIN}"
"""What to do about a table of the archive."""

REMAKE = "restore it, or delete it and run its rule again"
"""What to do about a table that a rule makes."""


@dataclass(frozen=True)
class CurveFile:
    """Curves of one task, network and parametrization, with where their runs were made.

    Attributes:
        table: the curves, in the columns of ``training.curve_table.COLUMNS``.
        origins: what made them, an entry per machine and commit with its seeds.
        sha256: of the file they were read from.
    """

    table: pd.DataFrame
    origins: tuple[Mapping[str, Any], ...]
    sha256: str = ""

    @property
    def seeds(self) -> list[int]:
        """The seeds it holds, in order."""
        return sorted(self.table["seed"].unique().tolist())

    @property
    def diverged(self) -> dict[int, int]:
        """Seeds that diverged, with the epoch they did it in."""
        return {int(s): epoch for origin in self.origins for s, epoch in origin["diverged"].items()}

    @property
    def task(self) -> str:
        """The pair of classes."""
        return str(self.table["task"].iloc[0])

    @property
    def parametrization(self) -> str:
        """The parametrization of all runs."""
        return str(self.table["parametrization"].iloc[0])


def read_curves(csv: Path, remedy: str = REMAKE) -> CurveFile:
    """Curves written by this project. Raises ``DataError``, which ends in ``remedy``, for others.

    Table and sidecar must fit together, and hold whole runs of one parametrization and nothing else. A
    file or folder that is called after a parametrization holds no other.
    """
    return _read_table(csv, *read_record(csv, remedy), remedy)


def read_collected(csv: Path) -> CurveFile:
    """Curves that ``collect_curves`` wrote. Raises ``DataError`` for others, as ``read_curves`` does."""
    record, values = read_record(csv, REMAKE)
    require_collected(csv, record, REMAKE)
    return _read_table(csv, record, values, REMAKE)


def require_archived(csv: Path) -> None:
    """Raise ``DataError`` unless there is a table of archived curves of that name."""
    reason = refusal(csv)
    if reason is not None:
        raise DataError(f"{csv}: {reason}; {RESTORE}")
    if not csv.exists():
        raise DataError(
            f"{csv}: there are no such archived curves; {RETRAIN}, or training.archive to where they are"
        )


def read_archive(csv: Path, settings: RunStage, images: Path) -> CurveFile:
    """Archived curves of this very configuration and these images.

    Raises ``DataError`` naming what differs if they are of another, are missing, incomplete or were
    changed.
    """
    require_archived(csv)
    record, values = read_record(csv, RESTORE)
    require_fits(csv, record, settings, images, "archived", RETRAIN)
    return _read_table(csv, record, values, RESTORE)


def read_trained(csv: Path, settings: RunStage, images: Path) -> CurveFile:
    """Curves of this configuration and these images as ``train_seeds`` has written them.

    Raises ``DataError`` for others: archived ones need an audit.
    """
    record, values = read_record(csv, REMAKE)
    # Shards have had checksums for as long as their code has been what it is.
    if record.code is None or record.code.stage != TRAINED or record.checksum is None:
        raise DataError(
            f"{csv}: these curves were not trained here, and archived curves are collected with their "
            f"audit alone; run dynparam audit and name its result with --audit, or {RETRAIN}"
        )
    require_fits(csv, record, settings, images, "trained", REMAKE)
    return _read_table(csv, record, values, REMAKE)


def require_named(csv: Path, parametrization: str) -> None:
    """Raise ``DataError`` if a table is called after, or lies in the folder of, another parametrization.

    Archived and collected tables are ``dynamic.csv``, shards ``dynamic/0-9.csv``.
    """
    places = (csv.stem, csv.absolute().parent.name)
    named = next((name for name in places if name in NAMES), parametrization)
    if named != parametrization:
        raise DataError(
            f"{csv}: by its name it holds curves of {named}, and they are of {parametrization}; "
            f"give them a place of their own, or {RESTORE}"
        )


def require_parametrization(csv: Path, curves: CurveFile, parametrization: str) -> None:
    """Raise ``DataError`` unless a table's curves are of that parametrization."""
    if curves.parametrization != parametrization:
        raise DataError(
            f"{csv}: holds curves of {curves.parametrization}, not of {parametrization}; {RESTORE}"
        )


def merge_curves(parts: Sequence[CurveFile]) -> CurveFile:
    """All runs in one table, ordered by seed.

    Raises ``DataError`` if a seed occurs twice, or if they are of several tasks or parametrizations.
    """
    kinds = sorted({f"{part.task}, {part.parametrization}" for part in parts})
    if len(kinds) > 1:
        raise DataError(f"the tables are of several curves ({'; '.join(kinds)}); give those of one")
    seeds = [seed for part in parts for seed in part.seeds]
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:
        raise DataError(f"seeds {twice} are in several tables of curves; give each seed once")
    table = pd.concat([part.table for part in parts], ignore_index=True)
    table = table.sort_values(["seed", "epoch"], ignore_index=True)
    return CurveFile(table, _one_of_each([origin for part in parts for origin in part.origins]))


def _one_of_each(origins: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Equal origins as one, with the seeds of all."""
    found: dict[str, dict[str, Any]] = {}
    for origin in origins:
        rest = {key: value for key, value in origin.items() if key not in ("seeds", "diverged")}
        same = found.setdefault(json.dumps(rest, sort_keys=True), {"seeds": {}, "diverged": {}, **rest})
        same["seeds"].update(origin["seeds"])
        same["diverged"].update(origin["diverged"])
    return tuple(found.values())


def require_fits(
    csv: Path, record: CurveRecord, settings: BaseModel, images: Path, verb: str, remedy: str
) -> None:
    """Raise ``DataError`` unless a table is of this very configuration and these images."""
    here = settings.model_dump(mode="json")
    there = {key: value for key, value in record.config.items() if key in here}
    if values_digest(there) != digest(settings):
        changed = ", ".join(differences(there, here))
        raise DataError(f"{csv}: {verb} under another configuration ({changed}); use that, or {remedy}")
    if sha256(images) not in record.inputs.values():
        raise DataError(f"{csv}: {verb} for other images than {images}; {remedy}")


def _read_table(csv: Path, record: CurveRecord, values: Mapping[str, Any], remedy: str) -> CurveFile:
    """The curves in a table whose sidecar has been read."""
    try:
        # Read once: what is parsed is what was hashed.
        content = read_bytes(csv, MAX_TABLE_BYTES)
    except RefusedError as error:
        raise DataError(f"{csv}: {error}; {remedy}") from None
    found = hashlib.sha256(content).hexdigest()
    if record.outputs[csv.name] != found:
        raise DataError(f"{csv}: not the table its sidecar describes; {remedy}")
    try:
        table = parse_table(content)
        epochs = record.run_config.protocol.epochs
        require_runs(table, record.run_seeds, record.diverged, epochs, record.task)
    except ValueError as error:
        raise DataError(f"{csv}: {error}; {remedy}") from None
    curves = CurveFile(table, tuple(values["runs"]), found)
    require_named(csv, curves.parametrization)
    return curves
