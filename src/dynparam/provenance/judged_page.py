"""What the report shows of an experiment whose result is one table of verdicts."""

from __future__ import annotations

from dynparam.presentation.judged import view
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, outcomes

PLACE = "verdicts"
"""The table's file, without the ending, in the experiment's folder of results."""


def judged_page(
    files: Files, folder: str, anchor: str, title: str, short: str, question: str, meaning: str
) -> Page:
    """The verdicts, and how they fall; a control that is refuted counts as passed.

    Args:
        files: the directories of the run.
        folder: the experiment's folder of results, which holds the table.
        anchor: where the report has it.
        title: its heading.
        short: its name in the list of contents.
        question: the paragraph above the table.
        meaning: what the counts are of, as a question.

    Raises:
        DataError: the table is missing or of another form.
    """
    table = files.table(f"{folder}/{PLACE}", FORM)
    counted = count(title, anchor, meaning, outcomes(table, CLAIM, CONTROL))
    section = Section(paragraphs=[question], view=view(anchor, title), table=table)
    file = files.results / folder / f"{PLACE}.csv"
    return Page([counted], [Shown(anchor, title, short, [section], file)])
