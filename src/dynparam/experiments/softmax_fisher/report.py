"""What the report shows of softmax: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Eigenvalues of the Fisher information of networks at initialization, with softmax and without, "
    'beside the wide limit at the measured probabilities (<a href="#figure-{}">figure</a>). A control '
    "must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "softmax_fisher",
        anchor="softmax",
        title="Softmax and the Fisher information",
        short="Softmax",
        question=QUESTION.format(config.softmax_fisher.figure),
        meaning="do eigenvalues that stand out, their spread and controls come out as theory says?",
    )
