"""What the report shows of Figs. 3.2 and 3.3: the slopes."""

from __future__ import annotations

from typing import Any

from dynparam.experiments.alignments.columns import slopes_view
from dynparam.experiments.alignments.page import summary_sentence
from dynparam.experiments.alignments.settings import for_comparison
from dynparam.experiments.alignments.tables import SLOPES
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown

MEANING = (
    r"How the alignment $|\langle \partial L / \partial \tilde h, \Delta \tilde h \rangle|$ of a "
    "layer's update with its gradient grows with the width $n$ after one step of gradient descent: the "
    "slope of its logarithm against that of $n$, a number without unit. "
)


def page(config: Any, files: Files) -> Page:
    """The slopes, and how their verdicts fall at the thesis's widths and beyond."""
    slopes = files.table("comparison/slopes", SLOPES)
    wide = slopes["figure"].isin(list(config.law.figures))
    counts = [
        count(
            "Slopes at the thesis's widths",
            "slopes",
            "measured growth of the alignments against what theory expects there",
            slopes.loc[~wide, "verdict"],
        ),
        count(
            f"Slopes up to n = {config.law.widths.largest:,}",
            "slopes",
            f"the same on the exact-law engine, from n = {config.law.slopes_from:,} on",
            slopes.loc[wide, "verdict"],
        ),
    ]
    said = MEANING + summary_sentence(slopes, for_comparison(config))
    table = Section(paragraphs=[said], view=slopes_view(config.comparison.tolerance), table=slopes)
    file = files.results / "comparison" / "slopes.csv"
    return Page(counts, [Shown("slopes", "Slopes", "Slopes", [table], file)])
