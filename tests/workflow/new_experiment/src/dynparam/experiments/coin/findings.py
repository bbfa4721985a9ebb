"""What the findings say of the coins."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.coin.tables import SHARES
from dynparam.provenance.experiment import Files

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


def found(config: Any, files: Files) -> pd.DataFrame:
    """The shares of heads."""
    return files.table("coin/shares", SHARES)
