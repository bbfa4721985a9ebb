"""What Table 1.1 and the conditions say as figures, in a sentence each, with their verdicts."""

from __future__ import annotations

import pandas as pd

from dynparam.experiments.measured_orders.conditions import CONTROL
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.experiments.measured_orders.table1_1 import QUANTITIES, Quantity
from dynparam.presentation.sentences import joined
from dynparam.theory.conditions import CONDITIONS

NAMED: dict[Quantity, str] = {
    "preactivation": "sizes",
    "update": "updates",
    "own": "layers' own parts of them",
    "cosine": "angles",
}


def table_message(table: pd.DataFrame) -> str:
    """In how many of its entries Table 1.1 holds as measured, quantity by quantity."""
    holding = table["claim"] == "holds"
    if holding.all():
        return f"Table 1.1 holds in all {len(table)} entries"
    parts: list[str] = []
    for quantity in QUANTITIES:
        own = holding[table["quantity"] == quantity]
        of = "" if parts else f" of {len(own)} entries"
        parts.append(f"{int(own.sum())}{of} for {NAMED[quantity]}")
    return f"Table 1.1 holds in {joined(parts)}"


def conditions_message(matrix: pd.DataFrame, settings: Exponents) -> str:
    """How many conditions fail as measured, by parametrization, where bottlenecks sharpen."""
    shown = matrix[matrix["parametrization"] != CONTROL]
    sharpens = shown["family"].map(lambda family: settings.families[family].exponent < 1)
    failing = shown["measured"] == "fails"
    parts = []
    if sharpens.any():
        once = (
            failing[sharpens].groupby([shown["parametrization"], shown["condition"]], sort=False).any()
        )
        counts = once.groupby(level=0, sort=False).sum()
        ways = [f"{count} under {name}" for name, count in counts.items()]
        ways[0] = ways[0].replace(" under", f" of {len(CONDITIONS)} conditions fail under")
        parts.append(f"as bottlenecks sharpen, {joined(ways)}")
    if not sharpens.all():
        count = int(failing[~sharpens].sum())
        parts.append(f"at fixed ratios {f'{count} cells fail' if count else 'none'}")
    said = "; ".join(parts)
    return said[:1].upper() + said[1:]
