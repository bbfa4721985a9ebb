"""What the report shows of natural gradients: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Exact and approximate natural gradients in wide networks: what some steps leave of the residual, "
    "beside the one line of theory; and what one full step leaves under every parametrization as the "
    'bottleneck sharpens (<a href="#figure-{}">figure</a>). A control must not agree.'
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "natural_gradient",
        anchor="natural-gradient",
        title="Natural gradients in wide networks",
        short="Natural gradients",
        question=QUESTION.format(config.natural_gradient.figure),
        meaning="do residuals, their errors, identities and controls come out as theory says?",
    )
