"""What the report shows of networks looked at while they train: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Which network is the lazier, and which the richer, once trained? The neural tangent kernel, its "
    "cosine with its start, the movement of the weights, and what features are like in every layer "
    '(<a href="#figure-{}">figure</a>). A control must not hold.'
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "through_training",
        anchor="through-training",
        title="Through training",
        short="Through training",
        question=QUESTION.format(config.through_training.figure),
        meaning="is dynamic the lazier network at the end of training, and spectral the richer?",
    )
