"""What the report shows of the measured orders: Table 1.1, and how the conditions come out."""

from __future__ import annotations

from typing import Any

from dynparam.experiments.measured_orders.settings import for_orders
from dynparam.experiments.measured_orders.table1_1_page import TITLE, table1_1_sections
from dynparam.experiments.measured_orders.tables import CONDITIONS, ENTRIES
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown


def page(config: Any, files: Files) -> Page:
    """Table 1.1, and how the verdicts on its entries and on the conditions fall."""
    entries = files.table("table1_1/table1_1", ENTRIES)
    counts = [
        count(
            "Table 1.1: measured and exact",
            "table1_1",
            "measured exponents against those that follow from the definitions",
            entries["verdict"],
        ),
        count(
            "Table 1.1: its own entries",
            "table1_1",
            "measured exponents against those that the table states",
            entries["claim"],
        ),
        count(
            "Conditions of Secs. 2.2 and 2.3",
            "figure-conditions",
            "does measurement find each condition met or broken as theory says?",
            files.plotted("conditions", CONDITIONS)["verdict"],
        ),
    ]
    sections = table1_1_sections(entries, for_orders(config))
    file = files.results / "table1_1" / "table1_1.csv"
    return Page(counts, [Shown("table1_1", TITLE, "Table 1.1", sections, file)])
