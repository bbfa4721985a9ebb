"""What the findings say of Table 1.1 and of the conditions: numbers of the tables, for sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dynparam.experiments.measured_orders.conditions import CONTROL
from dynparam.experiments.measured_orders.sources import WORDS
from dynparam.experiments.measured_orders.tables import CONDITIONS, ENTRIES
from dynparam.presentation.sentences import fraction, joined, series, signed, span, words
from dynparam.presentation.verdicts import COMPARISONS
from dynparam.provenance.experiment import Files
from dynparam.settings.widths import NarrowWidth
from dynparam.trials.networks import ratio_rule

Rows = list[dict[str, Any]]

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    kept = ("2.18", "2.31", "2.41", "2.45", "2.59")
    """What the findings say that dynamic parametrization meets at dynamic ratios."""

    lost = ("2.27", "2.32", "2.40", "2.62")
    """And what it fails."""

    def __init__(
        self, families: Mapping[str, NarrowWidth], entries: pd.DataFrame, conditions: pd.DataFrame
    ) -> None:
        """Answer from ``results/table1_1/table1_1.csv`` and ``figures/conditions.csv``.

        ``families`` are the families of widths by name.
        """
        self._families = families
        self._dynamic = [name for name, rule in families.items() if rule.exponent < 1]
        self._entries = entries
        self._conditions = conditions

    def table_counts(self) -> Rows:
        """Of each quantity: all entries, those that agree with exact exponents, claims that hold."""
        return [
            {
                "what": what,
                "all": len(rows),
                "agrees": int((rows["verdict"] == "agrees").sum()),
                "holds": int((rows["claim"] == "holds").sum()),
            }
            for quantity, what in WORDS.items()
            for rows in [self._entries[self._entries["quantity"] == quantity]]
        ]

    def sharpening(self) -> dict[str, str]:
        """Dynamic parametrization at the first dynamic ratio: its rule, and the exponents of all layers.

        And the angle there: its exact exponent, the range of slopes, and the parametrizations.
        """
        family = [*self._dynamic, *self._families][0]
        rows = {quantity: self._of("dynamic", quantity, [family]) for quantity in WORDS}
        table = self._entries
        turned = table[(table["quantity"] == "cosine") & (table["family"] == family)]
        turned = turned[turned["exact"] < 0]
        return {
            "rule": str(ratio_rule(self._families[family])),
            "claimed": ", ".join(map(fraction, rows["update"]["claimed"])),
            "own": series(rows["own"]["slope"].tolist()),
            "whole": series(rows["update"]["slope"].tolist()),
            "cosine_exact": joined([fraction(one) for one in turned["exact"].unique()], "or"),
            "cosine": span(turned["slope"].tolist()) if len(turned) else "nothing",
            "names": joined(turned["parametrization"].unique().tolist()),
        }

    def own_part_is_the_tables(self) -> bool:
        """Whether Table 1.1 holds of dynamic's own parts everywhere, and not of its whole updates."""
        own, whole = (self._of("dynamic", quantity) for quantity in ("own", "update"))
        return set(own["claim"]) == {"holds"} and "fails" in set(whole["claim"])

    def only_the_first_layers_turn_lazy(self) -> bool:
        """Whether dynamic's updates shrink up to some layer and behind it no more, at dynamic ratios."""
        rows = self._of("dynamic", "update", self._dynamic)
        shapes = [part["exact"].tolist() for _, part in rows.groupby("family")]
        falls_first = [a == sorted(a) and a[0] < 0 and a[-1] == 0 for a in shapes]
        return set(rows["verdict"]) == {"agrees"} and all(falls_first)

    def cosine_is_one_for_all(self) -> bool:
        """Whether the angle has the same exponents under every parametrization, as measured too."""
        rows = self._entries[self._entries["quantity"] == "cosine"]
        alike = rows.groupby(["family", "layer"])["exact"].nunique() == 1
        return set(rows["verdict"]) == {"agrees"} and bool(alike.all())

    def table_surprises(self) -> list[str]:
        """Entries whose measured slope disagrees with the exact exponent, and why."""
        table = self._entries
        return [
            f"{row['parametrization']}, {words(row['family'])}, layer {row['layer']}, "
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
        return [
            {"parametrization": name, "conditions": "; ".join(_by_families(rows))}
            for name, rows in self._failing().groupby("parametrization", sort=False)
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

    def assumption_holds(self) -> bool:
        """Whether eq. 2.58 is measured to hold for all parametrizations but the standard one."""
        table = self._conditions
        rows = table[(table["condition"] == "eq. 2.58") & (table["parametrization"] != CONTROL)]
        return set(rows["measured"]) == {"holds"}

    def condition_surprises(self) -> list[str]:
        """Cells where measurement and theory disagree, and why; not those of the standard one."""
        table = self._conditions
        chosen = (table["verdict"] == "disagrees") & (table["parametrization"] != CONTROL)
        return [
            f"{row['parametrization']} at {words(row['family'])}, {row['condition']}: {row['note']}"
            for _, row in table[chosen].iterrows()
        ]

    def _of(self, name: str, quantity: str, families: Sequence[str] | None = None) -> pd.DataFrame:
        """A parametrization's entries of one quantity, in all families or in some."""
        table = self._entries
        chosen = (table["parametrization"] == name) & (table["quantity"] == quantity)
        if families is not None:
            chosen &= table["family"].isin(families)
        return table[chosen]

    def _failing(self) -> pd.DataFrame:
        table = self._conditions
        return table[(table["theory"] == "fails") & (table["parametrization"] != CONTROL)]


def _by_families(failing: pd.DataFrame) -> list[str]:
    """Conditions that fail in the same families, together: ``2.27 and 2.32 at square root``."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for condition, rows in failing.groupby("condition", sort=False):
        families = tuple(words(family) for family in rows["family"])
        shared.setdefault(families, []).append(str(condition).removeprefix("eq. "))
    return [f"{joined(conditions)} at {joined(families)}" for families, conditions in shared.items()]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        config.exponents.families,
        files.table("table1_1/table1_1", ENTRIES),
        files.plotted("conditions", CONDITIONS),
    )
