"""What the report shows of lazy and rich training: the verdicts, negative controls apart."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.experiments.lazy_or_rich.columns import VIEW
from dynparam.experiments.lazy_or_rich.tables import VERDICTS
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown

QUESTION = Markup(
    "Does a network train as its linearization at initialization (eq. 1.8), and how far does a layer "
    'move for a unit that the output moves (<a href="#figure-lazy_or_rich">figure</a>)? Negative '
    "controls must disagree, or fail; they are not counted above."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall where theory is to agree."""
    table = files.table("lazy_or_rich/verdicts", VERDICTS)
    counted = count(
        "Lazy or rich",
        "laziness",
        "do linearizations, kernels and the laziness index come out as theory says?",
        table.loc[table["control"].isna(), "verdict"],
    )
    section = Section(paragraphs=[QUESTION], view=VIEW, table=table)
    file = files.results / "lazy_or_rich" / "verdicts.csv"
    return Page([counted], [Shown("laziness", "Lazy or rich", "Lazy or rich", [section], file)])
