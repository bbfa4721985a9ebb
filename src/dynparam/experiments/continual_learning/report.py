"""What the report shows of continual learning: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Errors of kernel regression on one task after another, beside their learning curves in theory "
    '(<a href="#figure-{}">figure</a>). N are the samples of the first and the second task. A control '
    "must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "continual_learning",
        anchor="continual",
        title="Continual learning",
        short="Continual learning",
        question=QUESTION.format(config.continual_learning.figure),
        meaning="do errors, transfer, forgetting and controls come out as theory says?",
    )
