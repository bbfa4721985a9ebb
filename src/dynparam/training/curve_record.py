"""The sidecar of a table of curves, held against all that training writes into one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from dynparam.provenance.sidecars import Code, Commit, Sidecar, checksum, read_sidecar
from dynparam.settings.base import DenseWidth, Epochs, values_digest
from dynparam.settings.reading import first_problem
from dynparam.support.errors import DataError
from dynparam.support.regular_files import RefusedError, read_bytes
from dynparam.support.terminal import shown

SeedText = Annotated[str, StringConstraints(pattern=r"\A(0|[1-9][0-9]{0,17})\z")]

Name = Annotated[str, Field(min_length=1)]

Seconds = Annotated[float, Field(ge=0)]

MAX_TABLE_BYTES = 256 * 2**20
"""Largest table that is read: some 30,000 runs of 100 epochs."""

CLOSED = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

OPEN = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)


class Hardware(BaseModel):
    """The machine of some runs, as far as captions and costs name it."""

    model_config = OPEN

    processor: Name
    cores: NonNegativeInt | None


class Origin(BaseModel):
    """What made some runs: ``runs.origins`` describes its entries."""

    model_config = CLOSED

    seeds: dict[SeedText, Seconds]
    diverged: dict[SeedText, NonNegativeInt]
    git: Commit
    versions: dict[str, str]
    hardware: Hardware
    device: Name

    @model_validator(mode="after")
    def _known(self) -> Self:
        if not self.seeds.keys() >= self.diverged.keys():
            raise ValueError("a run diverged that is none of its seeds")
        return self


class RunProtocol(BaseModel):
    """Of the protocol of some runs what is read without the whole configuration."""

    model_config = OPEN

    n: DenseWidth
    n_min: DenseWidth
    epochs: Epochs
    dtype: Name
    products: Name


class RunData(BaseModel):
    """Of the images of some runs what is read without the whole configuration."""

    model_config = OPEN

    pairs: Annotated[dict[str, list[str]], Field(min_length=1, max_length=1)]


class RunConfig(BaseModel):
    """Of the configuration of some runs what is read without all of it."""

    model_config = OPEN

    data: RunData
    protocol: RunProtocol


class CurveRecord(Sidecar):
    """The sidecar of a table of curves; no other keys are allowed.

    Attributes:
        runs: what made them, an entry per machine and commit.
        source: where collected curves come from; ``None`` for a shard, and in the archive.
        audit: the audit of collected curves that come from the archive.
        audit_sentence: the same in words.
    """

    model_config = CLOSED

    code: Code | None = None
    runs: Annotated[list[Origin], Field(min_length=1)]
    source: Literal["trained here", "archive"] | None = None
    audit: dict[str, Any] | None = None
    audit_sentence: Name | None = None

    @property
    def run_config(self) -> RunConfig:
        """The part of the configuration that is read here."""
        return RunConfig.model_validate(self.config, strict=True)

    @property
    def task(self) -> str:
        """The only pair of classes."""
        (name,) = self.run_config.data.pairs
        return name

    @property
    def diverged(self) -> dict[int, int]:
        """Seeds that diverged, with the epoch they did it in."""
        return {int(seed): epoch for run in self.runs for seed, epoch in run.diverged.items()}

    @property
    def run_seeds(self) -> list[int]:
        """All seeds, in order."""
        return sorted(int(seed) for run in self.runs for seed in run.seeds)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        epochs = self.run_config.protocol.epochs
        if values_digest(self.config) != self.config_sha256:
            raise ValueError("config_sha256 is not the digest of config")
        if len(set(self.run_seeds)) < len(self.run_seeds):
            raise ValueError("a seed is of two runs")
        if any(epoch > epochs for epoch in self.diverged.values()):
            raise ValueError("a run diverged after its last epoch")
        archived = self.source == "archive"
        if {self.audit is not None, self.audit_sentence is not None} != {archived}:
            raise ValueError("curves of the archive have an audit, and no others")
        return self


def read_record(csv: Path, remedy: str) -> tuple[CurveRecord, Mapping[str, Any]]:
    """The sidecar of a table of curves, and its entries as they stand.

    Raises ``DataError``, which ends in ``remedy``, if it is missing, damaged, or of another table.
    """
    path = csv.with_suffix(".json")
    try:
        values = read_sidecar(path)
        record = CurveRecord.model_validate(values, strict=True)
        if "checksum" in values and values["checksum"] != checksum(values):
            raise ValueError("its checksum does not fit its entries")
        if set(record.outputs) != {csv.name}:
            raise ValueError("it is of another table")
    except (DataError, ValueError) as error:
        raise DataError(
            f"{path}: the provenance of {csv.name} is missing or damaged ({_reason(error)}); {remedy}"
        ) from None
    return record, values


def read_collected_record(csv: Path, remedy: str) -> CurveRecord:
    """The sidecar of a table that ``collect_curves`` wrote. Raises ``DataError`` for another."""
    record, _ = read_record(csv, remedy)
    require_collected(csv, record, remedy)
    return record


def require_collected(csv: Path, record: CurveRecord, remedy: str) -> None:
    """Raise ``DataError`` unless ``collect_curves`` wrote a table whose sidecar has been read."""
    if record.source is None or record.checksum is None:
        raise DataError(
            f"{csv}: these curves were not collected, so that nothing vouches for them; {remedy}"
        )


def content(csv: Path) -> str:
    """A digest of a table and its sidecar as they are, readable or not: equal if neither has changed."""
    found = hashlib.sha256()
    for path in (csv, csv.with_suffix(".json")):
        try:
            found.update(hashlib.sha256(read_bytes(path, MAX_TABLE_BYTES)).digest())
        except RefusedError as error:
            found.update(str(error).encode())
    return found.hexdigest()


def _reason(error: DataError | ValueError) -> str:
    if isinstance(error, ValidationError):
        return shown(first_problem(error))[:300]
    if isinstance(error, DataError):
        # Its own remedy is that of files that a rule makes.
        return shown(str(error).partition(": ")[2].rpartition("; ")[0])
    return str(error)
