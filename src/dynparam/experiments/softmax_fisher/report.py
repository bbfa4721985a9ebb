"""What the report shows of softmax: the table of verdicts."""

from __future__ import annotations

from typing import Any

from dynparam.presentation.judged import view
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, outcomes

QUESTION = (
    "Eigenvalues of the Fisher information of networks at initialization, with softmax and without, "
    "beside the wide limit at the measured probabilities. A control must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall; a control that is refuted counts as passed."""
    table = files.table("softmax_fisher/softmax", FORM)
    counted = count(
        "Softmax and the Fisher information",
        "softmax",
        "do the eigenvalues that stand out, their spread and the controls come out as theory says?",
        outcomes(table, CLAIM, CONTROL),
    )
    section = Section(paragraphs=[QUESTION], view=view("softmax", "Verdicts"), table=table)
    file = files.results / "softmax_fisher" / "softmax.csv"
    return Page(
        [counted], [Shown("softmax", "Softmax and the Fisher information", "Softmax", [section], file)]
    )
