"""What the report shows of deep networks: the table of verdicts."""

from __future__ import annotations

from typing import Any

from dynparam.presentation.judged import view
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, outcomes

TITLE = "Depth and the Fisher information of one input"

QUESTION = (
    "Eigenvalues of the Fisher information of one input, in deep networks of orthogonal weights, beside "
    "an identity and the wide limit; ReLU networks with bottlenecks beside their exact expectation. "
    "Real images do not enter. A control must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall; a control that is refuted counts as passed."""
    table = files.table("isometry/isometry", FORM)
    counted = count(
        TITLE,
        "isometry",
        "do eigenvalues, learning rates, bottlenecks and the controls come out as theory says?",
        outcomes(table, CLAIM, CONTROL),
    )
    section = Section(paragraphs=[QUESTION], view=view("isometry", "Verdicts"), table=table)
    file = files.results / "isometry" / "isometry.csv"
    return Page([counted], [Shown("isometry", TITLE, "Depth", [section], file)])
