"""What the thesis claims of orders: the entries of Table 1.1, and the conditions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.measured_orders.tables import CONDITIONS, ENTRIES
from dynparam.provenance.experiment import Files
from dynparam.provenance.source_claims import THESIS, SourceClaim, decided

WORDS = {
    "preactivation": "preactivation",
    "own": "own part of the update",
    "update": "whole update",
    "cosine": "cosine of the angle",
}
"""The quantities of the table."""

PROPOSED = "dynamic"
"""The parametrization that the thesis proposes."""


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The table's entries by quantity, then the conditions of the proposed parametrization."""
    entries = files.table("table1_1/table1_1", ENTRIES)
    for quantity, rows in entries.groupby("quantity", sort=False):
        yield SourceClaim(
            THESIS,
            "Table 1.1",
            f"The entries are the exponents of the {WORDS[str(quantity)]}.",
            "The exponent of each layer, under every parametrization and at every ratio of widths.",
            decided(rows["claim"]),
            (files.results / "table1_1" / "table1_1.csv").as_posix(),
            "table1_1",
        )
    conditions = files.plotted("conditions", CONDITIONS)
    own = conditions[conditions["parametrization"] == PROPOSED]
    lost = own.loc[own["measured"] == "fails", "condition"].drop_duplicates()
    yield SourceClaim(
        THESIS,
        "Secs. 2.2 and 2.3",
        f"{PROPOSED.capitalize()} parametrization meets the conditions at every ratio of widths.",
        "Whether each condition is measured to hold, at every family of widths."
        + (f" Somewhere fail: {', '.join(lost)}." if len(lost) else ""),
        decided(own["measured"]),
        (files.figures / "conditions.csv").as_posix(),
        "conditions",
    )
