"""What the report shows of best rates: the verdicts, and what every scheme comes to."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.experiments.best_rate.columns import BEST
from dynparam.experiments.best_rate.tables import BEST as FORM
from dynparam.presentation.pages import Section
from dynparam.provenance.experiment import Files, Page, Shown
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Every scheme is trained at a range of learning rates, and a third set of images chooses among "
    "them: does the second of the two parametrizations train better than the first, each at its own "
    'best rate and both at one (<a href="#figure-{}">figure</a>)? Parts say whose merit a difference '
    "is, that of the initial scales or that of the rates. A control must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts and how they fall, and the table of best rates."""
    judged = judged_page(
        files,
        "best_rate",
        anchor="best-rate",
        title="Each parametrization at its own best learning rate",
        short="Best rates",
        question=QUESTION.format(config.best_rate.figure),
        meaning="does dynamic train better than spectral, and by what?",
    )
    place = "best_rate/best"
    section = Section(view=BEST, table=files.table(place, FORM))
    shown = Shown(
        BEST.name, BEST.title, "Table of best rates", [section], files.results / f"{place}.csv"
    )
    return Page(judged.counts, [*judged.parts, shown])
