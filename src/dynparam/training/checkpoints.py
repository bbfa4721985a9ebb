"""Checkpoints of a training run: whole or absent, verified before use, never of another run.

A checkpoint is one safetensors file. Its header holds the run's identity, its place in training, the
curve so far, and a SHA-256 over all of that and every tensor, so that a flipped bit anywhere shows.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dynparam.support.errors import CheckpointError
from dynparam.support.files import atomic_path

CurveRow = tuple[float, float, float, float]
"""Training loss, test loss, training accuracy, test accuracy after an epoch."""


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


def load(path: Path, identity: str) -> tuple[Place, dict[str, Tensor]]:
    """Read a checkpoint. Raises ``CheckpointError`` if it is damaged or of another run."""
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({error})") from None
    if header.pop("sha256", None) != _checksum(header, tensors):
        raise CheckpointError(f"{path}: the checkpoint's checksum does not fit its content")
    if header["identity"] != identity:
        raise CheckpointError(f"{path}: the checkpoint belongs to another run")
    place = json.loads(header["place"])
    curve = tuple(tuple(row) for row in place.pop("curve"))
    losses = tuple(place.pop("batch_losses"))
    return Place(curve=curve, batch_losses=losses, **place), tensors


def set_aside(path: Path) -> Path:
    """Rename an unusable checkpoint, so that it is neither used nor lost; returns its new path."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.unusable-{number}{path.suffix}")).exists():
        number += 1
    return path.rename(aside)


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
