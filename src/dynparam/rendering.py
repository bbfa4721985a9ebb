"""The comparison table as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pandas as pd
from great_tables import GT, html, loc, md, style

from dynparam.config import ComparisonStage
from dynparam.files import write_text
from dynparam.tables import write_csv

VERDICT_MARKS = {"agrees": "✓ agrees", "disagrees": "✗ disagrees", "undecided": "? undecided"}
"""Verdicts carry a sign, so that they can be told apart without colour."""

VERDICT_COLOURS = {"agrees": "#d5ebe1", "disagrees": "#f6d5c5", "undecided": "#f5eec2"}
"""Backgrounds from the Okabe-Ito palette, lightened; black text on them passes WCAG AAA."""


def slopes_markdown(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """The comparison table as Markdown, headed by a summary of the verdicts."""
    shown = _readable(table)
    return "\n".join(
        [
            "# Measured against expected slopes",
            "",
            summary_sentence(table, settings),
            "",
            shown.to_markdown(index=False, disable_numparse=True),
            "",
        ]
    )


def slopes_html(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """The comparison table as one self-contained HTML page."""
    shown = _readable(table)
    made = (
        GT(shown, groupname_col="figure", id="slopes")
        .tab_header(title="Measured against expected slopes")
        .tab_source_note(md(summary_sentence(table, settings)))
        .cols_align(align="right", columns=["asymptotic", "expected", "measured"])
        .cols_label(
            measured=html(f"measured<br>[{settings.fit.confidence:.0%} interval]"),
            asymptotic=html("asymptotic<br>exponent"),
            expected=html("expected<br>on window"),
        )
        .tab_options(table_font_size="14px", container_width="100%", table_width="100%")
    )
    made = made.tab_style(
        style.css("white-space: nowrap;"), loc.body(columns=["curve", "measured", "verdict"])
    )
    for verdict, colour in VERDICT_COLOURS.items():
        rows = [k for k, found in enumerate(table["verdict"]) if found == verdict]
        made = made.tab_style(style.fill(colour), loc.body(columns=["verdict"], rows=rows))
    page = made.as_raw_html(make_page=True)
    return str(page).replace("<html>", '<html lang="en">', 1)


def write_comparison(table: pd.DataFrame, csv: Path, settings: ComparisonStage) -> list[Path]:
    """Write the comparison as CSV, Markdown and HTML side by side; returns the three paths."""
    markdown, page = csv.with_suffix(".md"), csv.with_suffix(".html")
    write_csv(table, csv)
    write_text(markdown, slopes_markdown(table, settings))
    write_text(page, slopes_html(table, settings))
    return [csv, markdown, page]


def summary_sentence(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """How many slopes agree, and what that means."""
    counts = table["verdict"].value_counts()
    summary = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICT_MARKS)
    level, tolerance = settings.fit.confidence, settings.comparison.tolerance
    return (
        f"{len(table)} slopes: {summary}. A slope agrees if its {level:.0%} interval lies within "
        f"{tolerance:g} of the slope expected on this window of widths, and disagrees if it lies wholly "
        f"outside. The note tells whether the claim of the thesis shows in this window."
    )


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "figure": [name.replace("fig", "Fig. ").replace("_", ".") for name in table["figure"]],
            "curve": table["curve"],
            "parametrization": table["parametrization"],
            "layer": table["layer"],
            "asymptotic": [str(Fraction(a).limit_denominator(1000)) for a in table["asymptotic"]],
            "expected": [_signed(value) for value in table["expected"]],
            "measured": [
                f"{_signed(slope)} [{_signed(low)}, {_signed(high)}]"
                for slope, low, high in table[["slope", "ci_low", "ci_high"]].to_numpy(float)
            ],
            "verdict": [VERDICT_MARKS[verdict] for verdict in table["verdict"]],
            "note": table["note"],
        }
    )


def _signed(value: float) -> str:
    """Three decimals with their sign; what rounds to zero is +0.000, never -0.000."""
    return f"{round(value, 3) + 0.0:+.3f}"
