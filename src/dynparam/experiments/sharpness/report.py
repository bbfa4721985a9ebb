"""What the report shows of sharpness: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "The largest eigenvalue of the Fisher information at initialization: how does it move with width, "
    'and what takes the growth away (<a href="#figure-{}">figure</a>)? A control must not agree.'
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "sharpness",
        anchor="sharpness",
        title="Sharpness",
        short="Sharpness",
        question=QUESTION.format(config.sharpness.figure),
        meaning="do slopes, sizes, learning rates and controls come out as theory says?",
    )
