"""Table 1.1, measured, as pages a person reads: Markdown and self-contained HTML.

Both begin with a summary in the shape of the thesis's table, one line a parametrization, and list where
the table and its own definitions disagree; every entry follows with its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from pathlib import Path

import pandas as pd
from great_tables import GT, html, loc, style

from dynparam.experiments.measured_orders.settings import ExponentsStage
from dynparam.experiments.measured_orders.table1_1 import (
    QUANTITIES,
    Finding,
    Quantity,
    exponent,
    findings,
)
from dynparam.presentation.pages import write_beside
from dynparam.presentation.verdicts import CLAIM_COLOURS, CLAIM_MARKS, VERDICT_COLOURS, VERDICT_MARKS
from dynparam.settings.widths import NarrowWidth
from dynparam.support.ranges import consecutive
from dynparam.trials.networks import ratio_rule

TITLE = "Table 1.1 of the thesis, measured"


SYMBOLS: dict[Quantity, str] = {"preactivation": "|h̃_i|", "update": "|Δh̃_i|"}
"""The column heads of Table 1.1, without the layer's index."""


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


COLOURED = (("verdict", VERDICT_MARKS, VERDICT_COLOURS), ("claim", CLAIM_MARKS, CLAIM_COLOURS))


def write_table1_1(table: pd.DataFrame, csv: Path, settings: ExponentsStage) -> list[Path]:
    """Write the table as CSV, Markdown and HTML side by side; returns the three paths.

    ``table`` has the columns of ``experiments.measured_orders.table1_1.COLUMNS``.
    """
    markdown = table1_1_markdown(table, settings)
    return write_beside(table, csv, markdown, table1_1_html(table, settings))


def table1_1_markdown(table: pd.DataFrame, settings: ExponentsStage) -> str:
    """The summary, the disagreements and every entry as Markdown."""
    lines = [f"# {TITLE}", "", summary_sentence(table, settings), "", how_to_read(settings), ""]
    for quantity in QUANTITIES:
        lines += [f"## {SYMBOLS[quantity]}", "", _markdown(pivot(table, quantity, settings)), ""]
    lines += [f"## {_disagreement_heading(table)}", ""]
    lines += [f"- {sentence}" for sentence in disagreements(table)]
    entries = _markdown(readable(table).drop(columns="entry"))
    return "\n".join([*lines, "", "## Every entry", "", entries, ""])


def table1_1_html(table: pd.DataFrame, settings: ExponentsStage) -> str:
    """The same as one self-contained HTML page, in the order of the Markdown."""
    parts = [
        f"<h1>{escape(TITLE)}</h1>",
        f"<p>{escape(summary_sentence(table, settings))}</p>",
        f"<p>{escape(how_to_read(settings))}</p>",
    ]
    parts += [_pivot_html(table, quantity, settings) for quantity in QUANTITIES]
    sentences = [f"<li>{escape(sentence)}</li>" for sentence in disagreements(table)]
    parts += [f"<h2>{escape(_disagreement_heading(table))}</h2>", "<ul>", *sentences, "</ul>"]
    parts += ["<h2>Every entry</h2>", _entries_html(table, settings)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"/><title>{escape(TITLE)}</title></head>',
            '<body style="font-family: sans-serif; max-width: 75em; margin: auto;">',
            *parts,
            "</body></html>",
            "",
        ]
    )


def summary_sentence(table: pd.DataFrame, settings: ExponentsStage) -> str:
    """How many entries agree with their exact exponents, and how many claims hold."""
    verdicts, claims = (
        ", ".join(f"{(table[column] == value).sum()} {value}" for value in marks)
        for column, marks, _ in COLOURED
    )
    level, tolerance = settings.fit.confidence, settings.exponents.tolerance
    return (
        f"{len(table)} entries. Measured against the exact exponent of the definition: {verdicts}. "
        f"The claim of Table 1.1: {claims}. An exponent agrees, and a claim holds, if the {level:.0%} "
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
        f"parametrization has no line in Table 1.1 and is left out."
    )


def pivot(table: pd.DataFrame, quantity: Quantity, settings: ExponentsStage) -> pd.DataFrame:
    """One column of Table 1.1 spread over the families of widths, one line a parametrization.

    Columns: parametrization, "Table 1.1" (its entry), and one a family; groups of layers with equal
    claim, exponent and outcome stand on lines of their own.
    """
    rows = table[table["quantity"] == quantity]
    lines = []
    for name in rows["parametrization"].unique():
        line = {"parametrization": name, "Table 1.1": WORDING[name, quantity]}
        for family in rows["family"].unique():
            mine = rows[(rows["parametrization"] == name) & (rows["family"] == family)]
            line[_family_head(family, settings.exponents.families[family])] = _cell(mine)
        lines.append(line)
    return pd.DataFrame(lines)


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


def _place(finding: Finding) -> str:
    return (
        f"{_words(finding.family)}, {'layer' if len(finding.layers) == 1 else 'layers'} "
        f"{layer_list(finding.layers)}: Table 1.1 says {finding.claimed}, the definition gives "
        f"{finding.exact}, measured {_range(*finding.measured)}"
    )


def _markdown(cells: pd.DataFrame) -> str:
    """A Markdown table; bars and line ends inside cells are kept apart from the table's own."""
    safe = cells.astype(str).map(lambda cell: cell.replace("|", r"\|").replace("\n", "<br>"))
    return str(safe.to_markdown(index=False, disable_numparse=True))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _disagreement_heading(table: pd.DataFrame) -> str:
    apart = "Where Table 1.1 and its own definitions disagree"
    return apart if findings(table) else "Table 1.1 and its own definitions agree everywhere"


def _family_head(family: str, rule: NarrowWidth) -> str:
    return f"{_words(family)}: n_min = {ratio_rule(rule)}"


def _cell(rows: pd.DataFrame) -> str:
    groups = []
    for _, group in rows.groupby(["claimed", "exact", "claim"], sort=False):
        first = group.iloc[0]
        claimed, exact = exponent(first["claimed"]), exponent(first["exact"])
        layers = "all" if len(group) == len(rows) else layer_list(group["layer"].tolist())
        text = f"{CLAIM_MARKS[first['claim']][0]} {layers}: {claimed} / "
        text += _range(group["slope"].min(), group["slope"].max())
        groups.append(text if claimed == exact else f"{text} (exact {exact})")
    return "\n".join(groups)


def _range(low: float, high: float) -> str:
    """Two decimals with their sign; one number where both round to it."""
    ends = [f"{round(value, 2) + 0.0:+.2f}" for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _pivot_html(table: pd.DataFrame, quantity: Quantity, settings: ExponentsStage) -> str:
    made = (
        GT(pivot(table, quantity, settings), id=f"summary_{quantity}")
        .tab_header(title=SYMBOLS[quantity])
        .tab_options(table_font_size="14px", heading_align="left", table_width="100%")
        .tab_style(style.css("white-space: pre-line; vertical-align: top;"), loc.body())
    )
    return str(made.as_raw_html())


def _entries_html(table: pd.DataFrame, settings: ExponentsStage) -> str:
    made = (
        GT(
            readable(table).drop(columns=["parametrization", "family"]),
            groupname_col="entry",
            id="entries",
        )
        .cols_align(align="right", columns=["claimed", "exact", "expected", "measured"])
        .cols_label(
            claimed=html("claimed<br>(Table 1.1)"),
            exact=html("exact<br>exponent"),
            expected=html("theory on<br>window"),
            measured=html(f"measured<br>[{settings.fit.confidence:.0%} interval]"),
            verdict=html("measured<br>and exact"),
            claim=html("claim of<br>Table 1.1"),
        )
        .tab_options(table_font_size="14px", table_width="100%", row_group_font_weight="bold")
        .tab_style(style.css("white-space: nowrap;"), loc.body(columns=["measured", "verdict", "claim"]))
    )
    for column, marks, colours in COLOURED:
        for value in marks:
            rows = [k for k, one in enumerate(table[column]) if one == value]
            made = made.tab_style(style.fill(colours[value]), loc.body(columns=[column], rows=rows))
    return str(made.as_raw_html())


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The entries as text, a row each: what a person reads of ``table1_1.COLUMNS``."""
    family = table["family"].map(_words)
    return pd.DataFrame(
        {
            "entry": table["parametrization"] + ", " + family,
            "parametrization": table["parametrization"],
            "family": family,
            "quantity": [SYMBOLS[quantity] for quantity in table["quantity"]],
            "layer": table["layer"],
            "claimed": [_fraction(value) for value in table["claimed"]],
            "exact": [_fraction(value) for value in table["exact"]],
            "expected": [_signed(value) for value in table["expected"]],
            "measured": [
                f"{_signed(slope)} [{_signed(low)}, {_signed(high)}]"
                for slope, low, high in table[["slope", "ci_low", "ci_high"]].to_numpy(float)
            ],
            "verdict": [VERDICT_MARKS[verdict] for verdict in table["verdict"]],
            "claim": [CLAIM_MARKS[claim] for claim in table["claim"]],
            "note": table["note"],
        }
    )


def _fraction(value: float) -> str:
    found: Fraction = exponent(value)
    return str(found)


def _signed(value: float) -> str:
    """Three decimals with their sign; what rounds to zero is +0.000, never -0.000."""
    return f"{round(value, 3) + 0.0:+.3f}"
