"""What the report shows of weight decay and of sizes of updates: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Both parametrizations are trained with weight decay (eq. 2.12): does a network that forgets its "
    "initial scale still show the difference? And dynamic parametrization with updates of size "
    r"$n_{{\min}}^r$, each at its own best rate: what does $r$ change "
    '(<a href="#figure-{}">figure</a>)? A control must not agree.'
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "weight_decay",
        anchor="weight-decay",
        title="Weight decay and the size of updates in training",
        short="Decay and size",
        question=QUESTION.format(config.weight_decay.figure),
        meaning="does decay merge the curves, and is r = 1/2 the best size?",
    )
