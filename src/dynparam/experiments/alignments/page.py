"""The comparison of slopes as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dynparam.experiments.alignments.columns import slopes_view
from dynparam.experiments.alignments.settings import ComparisonStage
from dynparam.presentation.numbers import percent
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.verdicts import COMPARISONS, tally


def write_comparison(table: pd.DataFrame, csv: Path, settings: ComparisonStage) -> list[Path]:
    """Write the comparison as CSV, Markdown and HTML side by side; returns the three paths."""
    view = slopes_view(settings.comparison.tolerance)
    return write_pages(table, csv, view.title, slopes_sections(table, settings))


def slopes_sections(table: pd.DataFrame, settings: ComparisonStage) -> list[Section]:
    """A summary of the verdicts, and every slope."""
    view = slopes_view(settings.comparison.tolerance)
    return [Section(paragraphs=[summary_sentence(table, settings)], view=view, table=table)]


def summary_sentence(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """How many slopes agree, and what that means."""
    level, tolerance = percent(settings.fit.confidence), settings.comparison.tolerance
    return (
        f"{len(table)} slopes: {tally(table['verdict'], COMPARISONS)}. A slope agrees if its {level} "
        f"interval lies within {tolerance:g} of the slope expected on its window of widths (the exact "
        f"one, where there is one), and disagrees if it lies wholly outside. The note tells whether the "
        f"claim of the thesis shows in this window."
    )
