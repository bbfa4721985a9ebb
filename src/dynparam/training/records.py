"""Records of finished runs: sealed with whose they are, and checked before they are written or used.

A record is one line of sealed JSON (``support.sealed``). Its owner is the identity of the run, so that
one that was edited, damaged, renamed to another seed or copied to other runs is told from the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from dynparam.support.errors import DataError
from dynparam.support.regular_files import RefusedError, read_bytes
from dynparam.support.sealed import SealError, seal, unseal
from dynparam.training.checkpoints import CurveRow, Form
from dynparam.training.checks import (
    Check,
    fault,
    fits,
    is_amount,
    is_count,
    is_finite_row,
    is_row,
    is_seconds,
    is_text,
)

NUMBER_BYTES = 32
"""A number of at most 24 characters, and what separates it from the next."""


class Finished(Protocol):
    """What a sidecar tells of any finished run, whatever was recorded of it."""

    @property
    def seed(self) -> int:
        """The run's number."""
        ...

    @property
    def diverged_at(self) -> int | None:
        """The epoch it diverged in, ``None`` if it did not."""
        ...

    @property
    def seconds(self) -> float:
        """Time spent on it."""
        ...

    @property
    def origin(self) -> Mapping[str, Any]:
        """What computed it: commit, versions, hardware, device."""
        ...


@dataclass(frozen=True)
class Record:
    """A finished run.

    Attributes:
        seed: the run's number.
        curve: a row for every epoch from 0 on; a diverged run's ends with the epoch it diverged in.
        diverged_at: the epoch whose loss was not finite, ``None`` if all were.
        seconds: time spent on training.
        origin: what computed it: commit, versions, hardware, device.
    """

    seed: int
    curve: tuple[CurveRow, ...]
    diverged_at: int | None
    seconds: float
    origin: Mapping[str, Any]


def record_line(record: Record, form: Form, owner: str) -> str:
    """A record of a run of that form as its file holds it, sealed for the run named ``owner``.

    Raises ``DataError`` if it is none that ``read_record`` takes.
    """
    values = asdict(record)
    reason = _fault(values, record.seed, form)
    if reason is not None:
        raise DataError(f"the record of seed {record.seed} is not written: {reason}; train it anew")
    return seal(values, owner) + "\n"


def read_record(path: Path, seed: int, form: Form, owner: str) -> Record:
    """The record of one run of that form, sealed for the run named ``owner``.

    Raises ``DataError`` if it is no regular file, damaged, of another run, or says what cannot be.
    """
    try:
        line = read_bytes(path, 2**20 + NUMBER_BYTES * 2 * form.sets * form.epochs).decode("ascii")
        if not line.endswith("\n"):
            raise SealError("its end is missing")
        values = unseal(line[:-1], owner)
        reason = _fault(values, seed, form)
    except (RefusedError, SealError) as error:
        reason = str(error)
    except UnicodeDecodeError:
        reason = "not sealed JSON"
    if reason is not None:
        raise DataError(f"{path}: not a run's record ({reason}); delete it to train it anew")
    curve = tuple(map(tuple, values.pop("curve")))
    return Record(curve=curve, **values)


def _fault(values: Any, seed: int, form: Form) -> str | None:
    """What is wrong with a record's values, ``None`` if nothing is."""
    fields: dict[str, Check] = {
        "seed": lambda value: is_count(value) and value == seed,
        "curve": lambda value: isinstance(value, (list, tuple)),
        "diverged_at": lambda value: value is None or is_count(value, form.epochs),
        "seconds": is_seconds,
        "origin": _is_origin,
    }
    return fault(values, fields) or _curve_fault(values["curve"], values["diverged_at"], form)


def _curve_fault(curve: Any, diverged_at: int | None, form: Form) -> str | None:
    """Every epoch has a finite row, except the one that a run diverged in, which is the last."""
    last = form.epochs if diverged_at is None else diverged_at
    if len(curve) != last + 1:
        return f"its curve has {len(curve)} rows, not one for each of the epochs 0 to {last}"
    for epoch, row in enumerate(curve):
        if not is_row(row, form.sets):
            return f"its row of epoch {epoch} is not a loss and an accuracy of each set of images"
        if is_finite_row(row, form.sets) == (epoch == diverged_at):
            are = "finite, though it diverged there" if epoch == diverged_at else "not finite"
            return f"its losses of epoch {epoch} are {are}"
    return None


def _is_origin(values: Any) -> bool:
    return fits(
        values,
        {"git": _is_git, "versions": _are_versions, "hardware": _is_hardware, "device": is_text},
    )


def _is_git(values: Any) -> bool:
    """A commit and whether files differed from it, both null outside a checkout; and why it may lack."""
    fields: dict[str, Check] = {
        "commit": lambda value: value is None or is_text(value),
        "dirty": lambda value: value is None or isinstance(value, bool),
    }
    return fits(values, fields, {"why": is_text})


def _are_versions(values: Any) -> bool:
    return isinstance(values, dict) and all(map(is_text, (*values, *values.values())))


def _is_hardware(values: Any) -> bool:
    fields: dict[str, Check] = {
        "system": is_text,
        "processor": is_text,
        "cores": lambda value: value is None or is_count(value),
        "memory_gib": is_amount,
    }
    return fits(values, fields, {"torch_threads": is_count, "gpu": is_text})
