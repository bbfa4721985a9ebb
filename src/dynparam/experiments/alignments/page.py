"""The comparison table as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pandas as pd
from great_tables import GT, html, loc, md, style

from dynparam.experiments.alignments.settings import ComparisonStage
from dynparam.presentation.pages import coloured, page, write_beside
from dynparam.presentation.verdicts import VERDICT_COLOURS, VERDICT_MARKS


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
