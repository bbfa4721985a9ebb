"""What the report shows of repeated inference: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Distances of patterns from the mean of their cluster, their concept, as a trained variational "
    'autoencoder reconstructs them again and again (<a href="#figure-{}">figure</a>). For a linear one '
    "they have a closed form; of nonlinear ones the rows say what is seen, not how much of it theory "
    "expects. Data are Gaussian clusters, and k is the latent width. A control must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "concept_retrieval",
        anchor="concepts",
        title="Repeated inference",
        short="Concepts",
        question=QUESTION.format(config.concept_retrieval.figure),
        meaning="do modes, distances from concepts and controls come out as theory says?",
    )
