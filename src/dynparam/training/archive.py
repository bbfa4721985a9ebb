"""The archive of training curves: small tracked tables that spare everyone else the full training.

Beside each table lies its provenance: the configuration and the images it belongs to, the table's
SHA-256, and where every run was made. Nothing is taken from the archive before these fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dynparam.provenance.record import read_sidecar
from dynparam.settings.base import differences, digest
from dynparam.support.errors import DataError
from dynparam.support.files import sha256
from dynparam.support.tables import read_csv
from dynparam.training.settings import RunStage

RETRAIN = "set training.reuse to none to train its runs here"


@dataclass(frozen=True)
class CurveFile:
    """Curves of one task, network and parametrization, with where their runs were made.

    Attributes:
        table: the curves, in the columns of ``training.runs.COLUMNS``.
        origins: what made them, an entry per machine and commit with its seeds.
    """

    table: pd.DataFrame
    origins: tuple[Mapping[str, Any], ...]

    @property
    def seeds(self) -> list[int]:
        """The seeds it holds, in order."""
        return sorted(self.table["seed"].unique().tolist())

    @property
    def diverged(self) -> dict[int, int]:
        """Seeds that diverged, with the epoch they did it in."""
        return {int(s): epoch for origin in self.origins for s, epoch in origin["diverged"].items()}


def read_curves(csv: Path) -> CurveFile:
    """Curves written by this project. Raises ``DataError`` unless table and sidecar fit together."""
    record = _sidecar(csv)
    if not csv.exists() or record["outputs"].get(csv.name) != sha256(csv):
        raise DataError(f"{csv}: not the table its sidecar describes; restore it, or {RETRAIN}")
    return CurveFile(read_csv(csv), tuple(record["runs"]))


def require_archived(csv: Path) -> None:
    """Raise ``DataError`` unless there are archived curves of that name."""
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
    record = _sidecar(csv)
    if record["config_sha256"] != digest(settings):
        changed = ", ".join(differences(record["config"], settings.model_dump(mode="json")))
        raise DataError(
            f"{csv}: archived under another configuration ({changed}); use that, or {RETRAIN}"
        )
    if sha256(images) not in record["inputs"].values():
        raise DataError(f"{csv}: archived for other images than {images}; {RETRAIN}")
    curves = read_curves(csv)
    _require_complete(curves, csv, settings)
    return curves


def merge_curves(parts: Sequence[CurveFile]) -> CurveFile:
    """All runs in one table, ordered by seed. Raises ``DataError`` if a seed occurs twice."""
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


def _require_complete(curves: CurveFile, csv: Path, settings: RunStage) -> None:
    """Every run has all of its epochs, in order, or ends where it is recorded to have diverged."""
    for seed, run in curves.table.groupby("seed"):
        last = curves.diverged.get(int(str(seed)), settings.protocol.epochs)
        if run["epoch"].tolist() != list(range(last + 1)):
            raise DataError(f"{csv}: seed {seed} lacks some of its epochs 0 to {last}; {RETRAIN}")
    tasks = curves.table["task"].unique().tolist()
    if tasks != list(settings.data.pairs):
        raise DataError(f"{csv}: holds curves of {tasks}; {RETRAIN}")


def _sidecar(csv: Path) -> dict[str, Any]:
    path = csv.with_suffix(".json")
    try:
        record = read_sidecar(path)
        for key in ("outputs", "inputs", "config", "config_sha256", "runs"):
            record[key]
    except (DataError, KeyError):
        raise DataError(
            f"{path}: the provenance of {csv.name} is missing or damaged; restore it, or {RETRAIN}"
        ) from None
    return record
