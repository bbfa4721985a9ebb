"""What the report shows of lazy and rich training: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Does a network train as its linearization at initialization (eq. 1.8), and how far does a layer "
    'move for a unit that the output moves (<a href="#figure-{}">figure</a>)? A control must not agree.'
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "lazy_or_rich",
        anchor="laziness",
        title="Lazy or rich",
        short="Lazy or rich",
        question=QUESTION.format(config.lazy_or_rich.figure),
        meaning="do linearizations, kernels, laziness indices and controls come out as theory says?",
    )
