"""The comparison table as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import pandas as pd
from great_tables import GT, html, loc, md, style

from dynparam.config_stages import ComparisonStage
from dynparam.files import write_text
from dynparam.tables import write_csv

VERDICT_MARKS = {"agrees": "✓ agrees", "disagrees": "✗ disagrees", "undecided": "? undecided"}
"""Verdicts carry a sign, so that they can be told apart without colour."""

VERDICT_COLOURS = {"agrees": "#d5ebe1", "disagrees": "#f6d5c5", "undecided": "#f5eec2"}
"""Backgrounds from the Okabe-Ito palette, lightened; black text on them passes WCAG AAA."""


def slopes_markdown(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """The comparison table as Markdown, headed by a summary of the verdicts."""
    shown = readable(table)
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
    shown = readable(table)
    made = (
        GT(shown, groupname_col="figure", id="slopes")
        .tab_header(title="Measured against expected slopes")
        .tab_source_note(md(summary_sentence(table, settings)))
        .cols_align(align="right", columns=["asymptotic", "expected", "exact", "measured"])
        .cols_label(
            measured=html(f"measured<br>[{settings.fit.confidence:.0%} interval]"),
            asymptotic=html("asymptotic<br>exponent"),
            expected=html("expected<br>on window"),
            exact=html("the same,<br>exact"),
        )
        .tab_options(table_font_size="14px", container_width="100%", table_width="100%")
    )
    made = made.tab_style(
        style.css("white-space: nowrap;"), loc.body(columns=["curve", "exact", "measured", "verdict"])
    )
    return page(coloured(made, table["verdict"], VERDICT_COLOURS))


def coloured(made: GT, verdicts: Iterable[str], colours: Mapping[str, str]) -> GT:
    """A table whose cells in the column "verdict" have the background of their row's verdict."""
    found = list(verdicts)
    for verdict, colour in colours.items():
        rows = [k for k, one in enumerate(found) if one == verdict]
        made = made.tab_style(style.fill(colour), loc.body(columns=["verdict"], rows=rows))
    return made


def page(made: GT) -> str:
    """A table as one self-contained HTML page that names its language."""
    return str(made.as_raw_html(make_page=True)).replace("<html>", '<html lang="en">', 1)


def write_beside(table: pd.DataFrame, csv: Path, markdown: str, html_page: str) -> list[Path]:
    """Write a table as CSV with its two pages beside it; returns the three paths."""
    paths = [csv, csv.with_suffix(".md"), csv.with_suffix(".html")]
    write_csv(table, csv)
    write_text(paths[1], markdown)
    write_text(paths[2], html_page)
    return paths


def write_comparison(table: pd.DataFrame, csv: Path, settings: ComparisonStage) -> list[Path]:
    """Write the comparison as CSV, Markdown and HTML side by side; returns the three paths."""
    return write_beside(table, csv, slopes_markdown(table, settings), slopes_html(table, settings))


def summary_sentence(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """How many slopes agree, and what that means."""
    counts = table["verdict"].value_counts()
    summary = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICT_MARKS)
    level, tolerance = settings.fit.confidence, settings.comparison.tolerance
    return (
        f"{len(table)} slopes: {summary}. A slope agrees if its {level:.0%} interval lies within "
        f"{tolerance:g} of the slope expected on its window of widths (the exact one, where there is "
        f"one), and disagrees if it lies wholly outside. The note tells whether the claim of the thesis "
        f"shows in this window."
    )


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The slopes as text, a row each: what a person reads of ``comparison.COLUMNS``."""
    return pd.DataFrame(
        {
            "figure": [_figure(name) for name in table["figure"]],
            "curve": table["curve"],
            "parametrization": table["parametrization"],
            "layer": table["layer"],
            "asymptotic": [str(Fraction(a).limit_denominator(1000)) for a in table["asymptotic"]],
            "expected": [_signed(value) for value in table["expected"]],
            "exact": [
                "" if pd.isna(value) else f"{_signed(value)} ± {error:.3f}"
                for value, error in table[["expected_exact", "expected_exact_error"]].to_numpy(float)
            ],
            "measured": [
                f"{_signed(slope)} [{_signed(low)}, {_signed(high)}]"
                for slope, low, high in table[["slope", "ci_low", "ci_high"]].to_numpy(float)
            ],
            "verdict": [VERDICT_MARKS[verdict] for verdict in table["verdict"]],
            "note": table["note"],
        }
    )


def _figure(name: str) -> str:
    """``fig3_2_wide`` as ``Fig. 3.2 wide``."""
    return name.replace("_wide", " wide").replace("fig", "Fig. ").replace("_", ".")


def _signed(value: float) -> str:
    """Three decimals with their sign; what rounds to zero is +0.000, never -0.000."""
    return f"{round(value, 3) + 0.0:+.3f}"
