"""What the report shows of fluctuations: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "How much random networks differ at one image, beside the exact law: in the last hidden layer and "
    "in the readout's contribution, under every parametrization and for several numbers of bottlenecks; "
    'and how far the seeds of trained networks lie apart (<a href="#figure-{}">figure</a>). A control '
    "must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "fluctuations",
        anchor="fluctuations",
        title="Fluctuations in narrow layers",
        short="Fluctuations",
        question=QUESTION.format(config.fluctuations.figure),
        meaning="do scatter, medians, dead networks and controls come out as theory says?",
    )
