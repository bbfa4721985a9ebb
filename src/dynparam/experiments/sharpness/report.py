"""What the report shows of sharpness: every statement with its verdict."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from dynparam.experiments.sharpness.columns import verdicts_view
from dynparam.experiments.sharpness.tables import VERDICTS
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown
from dynparam.statistics.verdicts import ClaimVerdict, Verdict

QUESTION = Markup(
    "The largest eigenvalue of the Fisher information at initialization: how does it move with width, "
    'and what takes the growth away (<a href="#figure-sharpness">figure</a>)? '
    "A row that is wanted to disagree is a control, or growth that is left."
)


def page(config: Any, files: Files) -> Page:
    """All statements, and how many come out as they should."""
    table = files.table("sharpness/verdicts", VERDICTS)
    counted = count(
        "Sharpness", "sharpness", "do statements hold, and do their controls fail?", outcomes(table)
    )
    section = Section(paragraphs=[QUESTION], view=verdicts_view(), table=table)
    file = files.results / "sharpness" / "verdicts.csv"
    return Page([counted], [Shown("sharpness", "Sharpness", "Sharpness", [section], file)])


def outcomes(table: pd.DataFrame) -> list[str]:
    """Whether each row comes out as wanted: holds, fails or undecided."""
    return [
        ClaimVerdict.UNDECIDED
        if verdict == Verdict.UNDECIDED
        else ClaimVerdict.HOLDS
        if verdict == wanted
        else ClaimVerdict.FAILS
        for verdict, wanted in zip(table["verdict"], table["wanted"], strict=True)
    ]
