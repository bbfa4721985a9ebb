"""What the findings say of Table 1.1 and of the conditions: numbers of the tables, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.measured_orders.table1_1_page import disagreements
from dynparam.presentation.sentences import signed
from dynparam.presentation.verdicts import COMPARISONS
from dynparam.provenance.experiment import Files

Rows = list[dict[str, Any]]


class Found:
    """The questions the template asks."""

    def __init__(self, entries: pd.DataFrame, conditions: pd.DataFrame) -> None:
        """Answer from ``results/table1_1/table1_1.csv`` and ``figures/conditions.csv``."""
        self._entries = entries
        self._conditions = conditions

    def table_counts(self) -> dict[str, int]:
        """Entries of Table 1.1: all, those that agree with the exact exponent, claims that hold."""
        table = self._entries
        return {
            "all": len(table),
            "agrees": int((table["verdict"] == "agrees").sum()),
            "holds": int((table["claim"] == "holds").sum()),
        }

    def table_disagreements(self) -> list[str]:
        """Where Table 1.1 and its definitions differ, a sentence a reason."""
        return disagreements(self._entries)

    def table_surprises(self) -> list[str]:
        """Entries whose measured slope disagrees with the exact exponent, and why."""
        table = self._entries
        return [
            f"{row['parametrization']}, {row['family'].replace('_', ' ')}, layer {row['layer']}, "
            f"{row['quantity']}: {signed(row['slope'])} instead of {signed(row['exact'])}; {row['note']}"
            for _, row in table[table["verdict"] == "disagrees"].iterrows()
        ]

    def condition_counts(self) -> dict[str, int]:
        """Cells of the matrix of conditions: all, and those of each verdict."""
        table = self._conditions
        counts = table["verdict"].value_counts()
        return {name: int(counts.get(name, 0)) for name in COMPARISONS} | {"all": len(table)}

    def failing_conditions(self) -> Rows:
        """The conditions that each parametrization but the standard one fails by exact exponents."""
        table = self._conditions
        failing = table[(table["theory"] == "fails") & (table["parametrization"] != "standard")]
        return [
            {
                "parametrization": name,
                "conditions": "; ".join(
                    f"{condition} at {' and '.join(part['family'].str.replace('_', ' '))}"
                    for condition, part in rows.groupby("condition", sort=False)
                ),
            }
            for name, rows in failing.groupby("parametrization", sort=False)
        ]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(files.table("table1_1/table1_1"), files.plotted("conditions"))
