"""What the report shows of deep networks: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Eigenvalues of the Fisher information of one input, in deep networks of orthogonal weights, beside "
    "an identity and the wide limit; ReLU networks with bottlenecks beside their exact expectation "
    '(<a href="#figure-{}">figure</a>). Real images do not enter. A control must not agree.'
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "isometry",
        anchor="isometry",
        title="Depth and the Fisher information of one input",
        short="Depth",
        question=QUESTION.format(config.isometry.figure),
        meaning="do eigenvalues, learning rates, bottlenecks and controls come out as theory says?",
    )
