"""Checkpoints of a training run: whole or absent, verified before use, never of another run.

A checkpoint is one safetensors file. Its header holds the run's identity, its place in training, the
curve so far, and a SHA-256 over all of that and every tensor, so that a flipped bit anywhere shows. One
that was made wrong, with a checksum that is right, is told by what a run of its settings can have saved.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dynparam.support.errors import CheckpointError
from dynparam.support.files import atomic_path, naming_write_errors
from dynparam.support.regular_files import opened, refusal
from dynparam.training.checks import Check, fault, is_count, is_finite_row, is_loss, is_seconds
from dynparam.training.protocol import batches_per_epoch, trained_shapes
from dynparam.training.settings import RunStage

DTYPES = {"float32": "F32", "float64": "F64"}
"""What a safetensors file calls the precisions of a run."""

CurveRow = tuple[float, ...]
"""After an epoch, the losses on the training and the test images, then the accuracies.

With validation images, theirs come third among each.
"""


@dataclass(frozen=True)
class Place:
    """Where in training a run is, and what it has recorded.

    Attributes:
        epoch: finished epochs.
        batch: finished batches of the next one.
        batch_losses: their losses.
        curve: a row for every finished epoch, 0 (the initialization) included.
        seconds: time spent on training so far.
    """

    epoch: int = 0
    batch: int = 0
    batch_losses: tuple[float, ...] = ()
    curve: tuple[CurveRow, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Form:
    """What every checkpoint of a run is like, whatever its seed.

    Attributes:
        epochs: epochs of the whole run; none is saved after the last.
        batches: batches of an epoch.
        sets: sets of images that curves show: training and test images, and validation images if any.
        keeps_losses: whether the losses of an epoch's batches are kept until its end.
        tensors: precision and shape of every tensor, by name.
    """

    epochs: int
    batches: int
    sets: int
    keeps_losses: bool
    tensors: Mapping[str, tuple[str, tuple[int, ...]]]

    @classmethod
    def of(cls, settings: RunStage) -> Form:
        """That of a run with these settings."""
        protocol = settings.protocol
        dtype = DTYPES[protocol.dtype]
        return cls(
            epochs=protocol.epochs,
            batches=batches_per_epoch(settings),
            sets=3 if settings.data.validation_count else 2,
            keeps_losses=protocol.training_loss == "running",
            tensors={name: (dtype, shape) for name, shape in trained_shapes(settings).items()},
        )

    @property
    def header_bytes(self) -> int:
        """More than any header needs: of 24 characters, two to an epoch and set, one to a batch."""
        return 4096 + 64 * self.sets * self.epochs + 32 * self.batches + 256 * len(self.tensors)


def save(path: Path, identity: str, place: Place, tensors: Mapping[str, Tensor]) -> None:
    """Write a checkpoint atomically. Raises ``DynparamError``; an older one then stays as it was."""
    host = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"identity": identity, "place": json.dumps(asdict(place))}
    header["sha256"] = _checksum(header, host)
    with atomic_path(path) as partial, _room(partial.with_suffix("")) as room:
        written = room / path.name
        try:
            save_file(host, written, metadata=header)
        except SafetensorError as error:  # its own wrapping of a failed write
            raise OSError(str(error)) from None
        written.replace(partial)


def load(path: Path, identity: str, form: Form) -> tuple[Place, dict[str, Tensor]]:
    """Read a checkpoint of a run of that form.

    Raises ``CheckpointError`` if it is no regular file, is damaged, is of another run, or holds what no
    such run can have saved. No tensor is read before all have the right shapes.
    """
    try:
        _require_small_header(path, form)
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
            _require_tensors(file, form)
            tensors = {name: file.get_tensor(name) for name in form.tensors}
    except OSError as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({error.strerror or error})") from None
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({error})") from None
    if header.pop("sha256", None) != _checksum(header, tensors):
        raise CheckpointError(f"{path}: the checkpoint's checksum does not fit its content")
    if header.get("identity") != identity:
        raise CheckpointError(f"{path}: the checkpoint belongs to another run")
    if header.keys() != {"identity", "place"}:
        raise CheckpointError(f"{path}: the checkpoint's header is not one of this program")
    try:
        return _place(header["place"], form), tensors
    except ValueError as error:
        raise CheckpointError(f"{path}: the checkpoint's place is none of this run ({error})") from None


def set_aside(path: Path) -> Path:
    """Rename an unusable checkpoint, so that it is neither used nor lost; returns its new path.

    Raises ``DynparamError`` if it cannot be renamed.
    """
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.stem}.unusable-{number}{path.suffix}")):
        number += 1
    with naming_write_errors(aside):
        return path.rename(aside)


def _require_small_header(path: Path, form: Form) -> None:
    """Raise ``ValueError`` unless a regular file's header has a length that can be read into memory."""
    reason = refusal(path)
    if reason is not None:
        raise ValueError(reason)
    with opened(path) as file:
        length = int.from_bytes(file.read(8), "little")
    if length > form.header_bytes:
        raise ValueError("its header is larger than that of any such run")


def _require_tensors(file: Any, form: Form) -> None:
    """Raise ``ValueError`` unless a safetensors file holds the tensors of the run's network."""
    parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    found = {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in parts.items()}
    if found != form.tensors:
        raise ValueError("its tensors are not those of this run's network")


def _place(text: str, form: Form) -> Place:
    """The place in a header. Raises ``ValueError`` if no run of that form saves it there."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    fields: dict[str, Check] = {
        "epoch": lambda value: is_count(value, form.epochs - 1),
        "batch": lambda value: is_count(value, form.batches),
        "batch_losses": lambda value: isinstance(value, list) and all(map(is_loss, value)),
        "curve": lambda value: (
            isinstance(value, list) and all(is_finite_row(row, form.sets) for row in value)
        ),
        "seconds": is_seconds,
    }
    reason = fault(values, fields)
    if reason is not None:
        raise ValueError(reason)
    curve = tuple(map(tuple, values.pop("curve")))
    place = Place(curve=curve, batch_losses=tuple(values.pop("batch_losses")), **values)
    if len(place.curve) != place.epoch + 1:
        raise ValueError(f"its curve has {len(place.curve)} rows after epoch {place.epoch}")
    if len(place.batch_losses) != (place.batch if form.keeps_losses else 0):
        raise ValueError(f"it holds {len(place.batch_losses)} losses after batch {place.batch}")
    return place


@contextmanager
def _room(directory: Path) -> Iterator[Path]:
    """A directory for the block: beside what it writes, safetensors makes a file of an unknown name.

    After a kill, nothing else would tell whose that is.
    """
    directory.mkdir()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _checksum(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.contiguous().view(torch.uint8).numpy().data)
    return total.hexdigest()
