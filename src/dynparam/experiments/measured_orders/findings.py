"""What the findings say of Table 1.1 and of the conditions: numbers of the tables, for sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dynparam.experiments.measured_orders.table1_1_page import disagreements
from dynparam.experiments.measured_orders.tables import CONDITIONS, ENTRIES
from dynparam.presentation.sentences import signed
from dynparam.presentation.verdicts import COMPARISONS
from dynparam.provenance.experiment import Files
from dynparam.settings.widths import NarrowWidth

Rows = list[dict[str, Any]]

TEMPLATE = "findings.md.j2"
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    def __init__(
        self, families: Mapping[str, NarrowWidth], entries: pd.DataFrame, conditions: pd.DataFrame
    ) -> None:
        """Answer from ``results/table1_1/table1_1.csv`` and ``figures/conditions.csv``.

        ``families`` are the families of widths by name.
        """
        self._dynamic = [name for name, rule in families.items() if rule.exponent < 1]
        self._entries = entries
        self._conditions = conditions

    def table_counts(self) -> dict[str, int]:
        """Families, entries: all, those that agree with the exact exponent, claims that hold."""
        table = self._entries
        return {
            "families": table["family"].nunique(),
            "all": len(table),
            "agrees": int((table["verdict"] == "agrees").sum()),
            "holds": int((table["claim"] == "holds").sum()),
        }

    def only_dynamic_ratios_depart(self) -> bool:
        """Whether all claims of Table 1.1 hold at fixed ratios, and not all at dynamic ones."""
        table = self._entries
        dynamic = table["family"].isin(self._dynamic)
        fixed, others = table.loc[~dynamic, "claim"], table.loc[dynamic, "claim"]
        return not fixed.empty and set(fixed) == {"holds"} and "fails" in set(others)

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
        failing = self._failing()
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

    def fail_at_dynamic_ratios_only(self) -> bool:
        """Whether conditions fail, and at dynamic ratios alone."""
        families = set(self._failing()["family"])
        return bool(families) and families <= set(self._dynamic)

    def dynamic_is(self, outcome: str, equations: Sequence[str]) -> bool:
        """Whether conditions all hold, or all fail, for dynamic parametrization at dynamic ratios."""
        table = self._conditions
        chosen = table[
            (table["parametrization"] == "dynamic")
            & table["family"].isin(self._dynamic)
            & table["condition"].isin([f"eq. {equation}" for equation in equations])
        ]
        return set(chosen["theory"]) == {outcome}

    def _failing(self) -> pd.DataFrame:
        table = self._conditions
        return table[(table["theory"] == "fails") & (table["parametrization"] != "standard")]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        config.exponents.families,
        files.table("table1_1/table1_1", ENTRIES),
        files.plotted("conditions", CONDITIONS),
    )
