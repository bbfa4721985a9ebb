"""What the report shows of the delays: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Steps until the loss is halved behind B bottlenecks, beside theory without a fitted number. Local "
    "exponents decide whether they grow as log R or as a power of R = n/n_min. Beside them stand other "
    'ways of training and other parametrizations (<a href="#figure-{}">figure</a>). A control must not '
    "agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "delay_law",
        anchor="delay-law",
        title="The delay behind bottlenecks",
        short="Delay law",
        question=QUESTION.format(config.delay_law.figure),
        meaning="do delays, their exponents and controls come out as theory says?",
    )
