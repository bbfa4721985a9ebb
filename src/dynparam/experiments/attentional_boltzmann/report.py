"""What the report shows of attentional Boltzmann machines: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Boltzmann machines whose hidden units are attention, beside closed forms: what weights learn, "
    "how long that takes at a learning rate that is fixed or in proportion to hidden units, and "
    'what a fit costs on new data (<a href="#figure-{}">figure</a>). They are mixtures of Gaussians in '
    "other words. Real images do not enter. A control must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "attentional_boltzmann",
        anchor="attention",
        title="Attentional Boltzmann machine",
        short="Attention",
        question=QUESTION.format(config.attentional_boltzmann.figure),
        meaning="do growth, learning times, fits and controls come out as theory says?",
    )
