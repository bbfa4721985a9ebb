"""What the report claims of repeated inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.concept_retrieval.judge import LEAST, NEAR, PAIRED, TIME, WORST
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Nagano, Karakida and Okada, Scientific Reports 2020",
    "Sec. 4 (3)",
    "The paper's images and its trained autoencoders; only its abstract was at hand.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "concept_retrieval")
    shown = found.evidence, config.concept_retrieval.figure
    yield PAPER.claim(
        "Repeated inference in a trained autoencoder moves a pattern towards its concept, the mean of "
        "its cluster.",
        "The least distance from the concept and the inferences until then: of linear autoencoders "
        "beside a closed form, of nonlinear ones, qualitatively, beside bounds and beside an "
        "autoencoder of one Gaussian. In theory patterns leave afterwards: the concept is no fixed "
        "point.",
        found.of(TIME, LEAST, WORST, NEAR, PAIRED),
        *shown,
    )
