"""Tidy tables on disk, and what a table must hold to be read as one of a kind."""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynparam.support.errors import DataError
from dynparam.support.files import atomic_path
from dynparam.support.regular_files import RefusedError, read_bytes

MAX_TABLE_BYTES = 2**30
"""The largest table that is read; those of the thesis have 14 MB."""

REMEDY = "run its rule again"


class Kind(Enum):
    """What a column holds, in the words of an error."""

    TEXT = "text"
    NOTE = "text, or nothing"
    COUNT = "a whole number from 1 on"
    WHOLE = "a whole number from 0 on"
    NUMBER = "a finite number"
    GAPS = "a finite number, or nothing"
    ANY = "a number"


TEXT, NOTE, COUNT, WHOLE, NUMBER, GAPS, ANY = Kind

Columns = Mapping[str, Kind | Collection[str]]
"""What each column holds: a kind, or one of these words."""


Cells = NDArray[np.bool_]
"""What holds of each cell of a column."""


@dataclass(frozen=True)
class Form:
    """What a table must hold to be read; columns beyond these are left alone.

    Attributes:
        columns: what each column holds.
        key: the columns that tell rows apart: no two rows share their values.
        complete: whether there is a row for every combination of the key's values.
        may_be_empty: whether there may be no row at all.
    """

    columns: Columns
    key: tuple[str, ...] = ()
    complete: bool = False
    may_be_empty: bool = False

    def check(self, table: pd.DataFrame, path: Path, **fixed: str) -> pd.DataFrame:
        """The table itself. Raises ``DataError`` naming ``path`` and the column that is not of the form.

        ``fixed`` are columns of text with one value in every row, such as ``curve="fig3_2"``.
        """
        columns = {**self.columns, **{name: (value,) for name, value in fixed.items()}}
        missing = [name for name in columns if name not in table.columns]
        if missing:
            raise _error(path, f"it has no column {missing[0]!r}")
        if table.empty and not self.may_be_empty:
            raise _error(path, "it has no rows")
        for name, kind in columns.items():
            wrong = np.flatnonzero(~_fits(table[name], kind))
            if len(wrong):
                held, row = table[name].iloc[int(wrong[0])], int(wrong[0]) + 1
                shown = "nothing" if pd.isna(held) else repr(str(held)[:40])
                wanted = kind.value if isinstance(kind, Kind) else " or ".join(kind)
                raise _error(path, f"column {name!r} has {shown} in row {row}, where {wanted} belongs")
        self._check_rows(table, path)
        return table

    def _check_rows(self, table: pd.DataFrame, path: Path) -> None:
        if not self.key:
            return
        keys = list(self.key)
        twice = np.flatnonzero(table.duplicated(keys))
        if len(twice):
            row = table.iloc[int(twice[0])]
            named = ", ".join(f"{name} {row[name]}" for name in keys)
            raise _error(path, f"it has two rows of {named}")
        if self.complete and len(table) != math.prod(table[name].nunique() for name in keys):
            raise _error(path, f"it lacks a row of some {', '.join(keys)}")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a tidy table; floats with nine significant digits, which tell any two float32 apart."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def read_csv(path: Path, form: Form | None = None, **fixed: str) -> pd.DataFrame:
    """Read a table of this project, of the form given.

    ``fixed`` as for ``Form.check``. Raises ``DataError`` if it is missing, no table, or of another form.
    """
    content = _content(path)
    with _naming_damage(path):
        # Before pandas, which fills short rows up and takes the surplus of long ones for an index.
        for _ in _rows(content):
            pass
        table = pd.read_csv(io.BytesIO(content), low_memory=False)
    return table if form is None else form.check(table, path, **fixed)


def read_cells(path: Path) -> list[list[str]]:
    """The cells of a table as they are written, the head first. Raises ``DataError`` if it is none."""
    content = _content(path)
    with _naming_damage(path):
        return list(_rows(content))


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Raise what goes wrong in reading a table's content as ``DataError``."""
    try:
        yield
    except UnicodeDecodeError:
        raise _error(path, "it is not UTF-8") from None
    except (csv.Error, ValueError) as error:
        raise _error(path, " ".join(str(error).split())) from None


def _content(path: Path) -> bytes:
    try:
        content = read_bytes(path, MAX_TABLE_BYTES)
    except RefusedError as error:
        raise _error(path, str(error)) from None
    if content.startswith(codecs.BOM_UTF8):
        raise _error(path, "it begins with a byte order mark")
    if b"\0" in content:
        raise _error(path, "it holds NUL bytes")
    return content


def _rows(content: bytes) -> Iterator[list[str]]:
    """The cells of every line, the head first.

    Raises ``ValueError`` unless the columns have names of their own and all rows as many cells.
    """
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), strict=True)
    head = next(lines, None)
    if not head:
        raise ValueError("it is empty")
    twice = [name for name in head if head.count(name) > 1]
    if twice:
        raise ValueError(f"it has the column {twice[0]!r} twice")
    yield head
    for row in lines:
        if len(row) != len(head):
            raise ValueError(f"line {lines.line_num} has {len(row)} cells under {len(head)} headings")
        yield row


def _fits(column: pd.Series, kind: Kind | Collection[str]) -> Cells:
    """Which cells of a column are of the kind."""
    if not isinstance(kind, Kind):
        return np.asarray(column.isin(list(kind)), dtype=bool)
    there = np.asarray(column.notna(), dtype=bool)
    if kind is Kind.TEXT:
        return there
    if kind is Kind.NOTE:
        written = column.map(lambda cell: isinstance(cell, str))
        return np.asarray(written | column.isna(), dtype=bool)
    number = column if column.dtype.kind in "iuf" else pd.to_numeric(column.astype(str), errors="coerce")
    values = number.to_numpy(float)
    read = np.asarray(~(number.isna() & column.notna()), dtype=bool)
    if kind is Kind.ANY:
        return _all_or_none(read, column, "iuf")
    if kind is Kind.GAPS:
        return _all_or_none(read & ~np.isinf(values), column, "iuf")
    if kind is Kind.NUMBER:
        return _all_or_none(read & np.isfinite(values), column, "iuf")
    least = 1 if kind is Kind.COUNT else 0
    # Beyond 2^53 two whole numbers can be one in floating point.
    right = read & (values == np.floor(values)) & (values >= least) & (values < 2**53)
    return _all_or_none(right, column, "i")


def _all_or_none(right: Cells, column: pd.Series, kinds: str) -> Cells:
    """The cells that are right; none if all are, and yet the column is not read as one of these kinds.

    So it is where one of many whole numbers was written with a point, and where a number has more digits
    than can be read.
    """
    return right if column.dtype.kind in kinds or not right.all() else np.zeros(len(right), dtype=bool)


def _error(path: Path, reason: str) -> DataError:
    return DataError(f"{path}: not a readable table ({reason}); {REMEDY}")
