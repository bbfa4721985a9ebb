"""The comparison of slopes as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dynparam.experiments.alignments.columns import slopes_view
from dynparam.experiments.alignments.settings import ComparisonStage
from dynparam.presentation.numbers import chance, percent
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.verdicts import COMPARISONS, tally
from dynparam.statistics.joint import among


def write_comparison(table: pd.DataFrame, csv: Path, settings: ComparisonStage) -> list[Path]:
    """Write the comparison as CSV, Markdown and HTML side by side; returns the three paths."""
    view = slopes_view(settings.comparison.tolerance)
    return write_pages(table, csv, view.title, slopes_sections(table, settings))


def slopes_sections(table: pd.DataFrame, settings: ComparisonStage) -> list[Section]:
    """A summary of the verdicts, and every slope."""
    view = slopes_view(settings.comparison.tolerance)
    return [Section(paragraphs=[summary_sentence(table, settings)], view=view, table=table)]


def summary_sentence(table: pd.DataFrame, settings: ComparisonStage) -> str:
    """How many slopes agree and how many curves do not, and what that means."""
    level, tolerance = percent(settings.fit.confidence), settings.comparison.tolerance
    slopes = (
        f"{len(table)} slopes: {tally(table['verdict'], COMPARISONS)}. A slope agrees if its {level} "
        f"interval lies within {tolerance:g} of the slope expected on its window of widths (the exact "
        f"one, where there is one), and disagrees if it lies wholly outside. Beside it stands whether "
        f"the claim of the thesis shows in this window."
    )
    whole = whole_curves(table)
    if whole.empty:
        return slopes
    apart = told_apart(whole, settings.fit.confidence)
    least = whole.iloc[int(whole["joint_p"].argmin())]
    return (
        f"{slopes} All layers of a curve together, tested with their covariance, tell {len(apart)} of "
        f"{len(whole)} curves from the exact slopes: the smallest p is {chance(least['joint_p'])} "
        f"({least['curve']}, F({least['joint_layers']:.0f}, {least['joint_freedom']:.0f}) = "
        f"{least['joint_statistic']:.2f}), and the chance of so small a one among {len(whole)} is "
        f"{chance(among(float(least['joint_p']), len(whole)))}."
    )


def whole_curves(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each curve with a test of all its layers together: its name, and the test's columns."""
    columns = ["curve", "joint_statistic", "joint_layers", "joint_freedom", "joint_p"]
    return table[columns].dropna().drop_duplicates("curve").reset_index(drop=True)


def told_apart(whole: pd.DataFrame, confidence: float) -> list[str]:
    """The curves of ``whole_curves`` whose p is too small among so many independent ones."""
    return [
        curve
        for curve, p_value in zip(whole["curve"], whole["joint_p"], strict=True)
        if among(float(p_value), len(whole)) < 1 - confidence
    ]
