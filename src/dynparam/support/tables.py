"""Tidy tables on disk."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dynparam.support.errors import DataError
from dynparam.support.files import atomic_path


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a tidy table; floats with nine significant digits, which tell any two float32 apart."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table of this project. Raises ``DataError`` if it is missing or not a table."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable table ({error}); run its rule again") from None
