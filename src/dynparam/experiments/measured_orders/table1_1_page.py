"""Table 1.1, measured, as pages a person reads: Markdown and self-contained HTML.

Both begin with a summary in the shape of the thesis's table, one line a parametrization, and list where
the table and its own definitions disagree; every entry follows with its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from dynparam.experiments.measured_orders.columns import SYMBOLS, entries_view, words
from dynparam.experiments.measured_orders.settings import ExponentsStage
from dynparam.experiments.measured_orders.table1_1 import QUANTITIES, Disagreement, Quantity, findings
from dynparam.presentation import verdicts
from dynparam.presentation.numbers import fraction, percent, signed, span
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.tables import Column, TableView
from dynparam.settings.widths import NarrowWidth
from dynparam.support.ranges import consecutive
from dynparam.trials.networks import ratio_rule

TITLE = "Table 1.1 of the thesis, measured"

WORDING: dict[tuple[str, Quantity], str] = {
    ("ntk", "preactivation"): "Θ(1)",
    ("ntk", "update"): "Θ(1/√n_l)",
    ("mup", "preactivation"): "Θ(1)",
    ("mup", "update"): "Θ(1)",
    ("spectral", "preactivation"): "Θ(1)",
    ("spectral", "update"): "Θ(1)",
    ("dynamic", "preactivation"): "Θ(1)",
    ("dynamic", "update"): "Θ(1) where n_l = n_min, Θ(√(n_min/n_l)) elsewhere",
}
"""The entries of Table 1.1; dynamic has r = 1/2."""

ALONG = "Θ(1), by eq. 2.32"
"""What the thesis says of the angle, which has no column in its table."""

ENTRY = "Table 1.1"
"""The head above them in the summary."""


def write_table1_1(table: pd.DataFrame, csv: Path, settings: ExponentsStage) -> list[Path]:
    """Write the table as CSV, Markdown and HTML side by side; returns the three paths.

    ``table`` has the columns of ``experiments.measured_orders.table1_1.COLUMNS``.
    """
    return write_pages(table, csv, TITLE, table1_1_sections(table, settings))


def table1_1_sections(table: pd.DataFrame, settings: ExponentsStage) -> list[Section]:
    """The summary, the disagreements and every entry."""
    summaries = [pivot(table, quantity, settings) for quantity in QUANTITIES]
    return [
        Section(paragraphs=[summary_sentence(table, settings), how_to_read(settings)]),
        *(
            Section(SYMBOLS[quantity], view=_pivot_view(quantity, summary), table=summary)
            for quantity, summary in zip(QUANTITIES, summaries, strict=True)
        ),
        Section(_disagreement_heading(table), listed=disagreements(table)),
        Section("Every entry", view=entries_view(settings.exponents.tolerance), table=table),
    ]


def summary_sentence(table: pd.DataFrame, settings: ExponentsStage) -> str:
    """How many entries agree with their exact exponents, and how many claims hold."""
    judged = verdicts.tally(table["verdict"], verdicts.COMPARISONS)
    claims = verdicts.tally(table["claim"], verdicts.CLAIMS)
    level, tolerance = percent(settings.fit.confidence), settings.exponents.tolerance
    return (
        f"{len(table)} entries. Measured against the exact exponent of the definition: {judged}. "
        f"The claims: {claims}. An exponent agrees, and a claim holds, if the {level} "
        f"interval of the measured slope lies within {tolerance:g} of it; it disagrees, or fails, if "
        f"the interval lies wholly outside."
    )


def how_to_read(settings: ExponentsStage) -> str:
    """What was measured, and what a cell of the summary says."""
    measured = settings.exponents
    return (
        f"Exponents of n in the hidden layers, from {measured.trials} trials of one step at each of "
        f"{measured.widths.count} widths from n = {measured.widths.smallest:,} to "
        f"{measured.widths.largest:,}; hidden layers are {', '.join(settings.network.hidden)}, of width "
        f"n and n_min; dynamic has r = 1/2. A cell gives the layers, the claimed exponent / the "
        f"measured slopes, and the exact exponent where the definition has another. Standard "
        f"parametrization has no line in Table 1.1 and is left out. The table's own quantities come "
        f"first; then the part of the update that the layer's own weights make, of which the thesis "
        f"says the same (eq. 2.27), and the cosine of the angle between gradient and update, constant "
        f"by eq. 2.32."
    )


def pivot(table: pd.DataFrame, quantity: Quantity, settings: ExponentsStage) -> pd.DataFrame:
    """One column of Table 1.1 spread over the families of widths, one line a parametrization.

    Columns: parametrization, "Table 1.1" (its entry), and one a family; groups of layers with equal
    claim, exponent and outcome stand on lines of their own.
    """
    rows = table[table["quantity"] == quantity]
    lines = []
    for name in rows["parametrization"].unique():
        line = {"parametrization": name, ENTRY: _wording(name, quantity)}
        for family in rows["family"].unique():
            mine = rows[(rows["parametrization"] == name) & (rows["family"] == family)]
            line[_family_head(family, settings.exponents.families[family])] = _cell(mine)
        lines.append(line)
    return pd.DataFrame(lines)


def _wording(name: str, quantity: Quantity) -> str:
    """What the thesis says; the own part is what it derives the table's update from."""
    if quantity == "cosine":
        return ALONG
    return WORDING[name, "update" if quantity == "own" else quantity]


def disagreements(table: pd.DataFrame) -> list[str]:
    """Where table and definition disagree, in words: a sentence for each reason they have."""
    sentences = []
    found = findings(table)
    for name, quantity in dict.fromkeys((one.parametrization, one.quantity) for one in found):
        mine = [one for one in found if (one.parametrization, one.quantity) == (name, quantity)]
        places = "; ".join(_place(one) for one in mine)
        sentences.append(f"{name}, {SYMBOLS[quantity]}: {mine[0].reason}. {places}.")
    return sentences


def layer_list(layers: Sequence[int]) -> str:
    """Layers in order as text: runs of three or more as ``2-5``, others one by one."""
    runs = consecutive(layers)
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _place(finding: Disagreement) -> str:
    source = "eq. 2.32" if finding.quantity == "cosine" else "Table 1.1"
    return (
        f"{words(finding.family)}, {'layer' if len(finding.layers) == 1 else 'layers'} "
        f"{layer_list(finding.layers)}: {source} says {finding.claimed}, the definition gives "
        f"{finding.exact}, measured {_range(*finding.measured)}"
    )


def _disagreement_heading(table: pd.DataFrame) -> str:
    apart = "Where Table 1.1 and its own definitions disagree"
    return apart if findings(table) else "Table 1.1 and its own definitions agree everywhere"


def _family_head(family: str, rule: NarrowWidth) -> str:
    return f"{words(family)}: n_min = {ratio_rule(rule)}"


def _pivot_view(quantity: Quantity, summary: pd.DataFrame) -> TableView:
    columns = tuple(Column(head, prose=head == ENTRY) for head in summary.columns)
    return TableView(f"summary-{quantity}", SYMBOLS[quantity], columns)


def _cell(rows: pd.DataFrame) -> str:
    groups = []
    for _, group in rows.groupby(["claimed", "exact", "claim"], sort=False):
        first = group.iloc[0]
        claimed, exact = fraction(first["claimed"]), fraction(first["exact"])
        layers = "all" if len(group) == len(rows) else layer_list(group["layer"].tolist())
        measured = _range(group["slope"].min(), group["slope"].max())
        text = f"{verdicts.sign(first['claim'])} {layers}: {claimed} / {measured}"
        groups.append(text if claimed == exact else f"{text} (exact {exact})")
    return "\n".join(groups)


def _range(low: float, high: float) -> str:
    return span(low, high, partial(signed, digits=2))
