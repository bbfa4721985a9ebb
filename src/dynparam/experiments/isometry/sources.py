"""What the report claims of the conditional Fisher information."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Hayase and Karakida, AISTATS 2021",
    "Sec. 4 (1)",
    "The paper's activations, depths and networks; ours clip at both sides by a share that is set.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "isometry")
    shown = found.evidence, config.isometry.figure
    yield PAPER.claim(
        "Free probability gives the shape of the spectrum of the conditional Fisher information.",
        "The share of eigenvalues at the top and at the lowest, their multiplicity, their mean and "
        "the largest one, in orthogonal networks, beside the wide limit.",
        found.of(
            "share of", "multiplicity", "mean eigenvalue", "largest eigenvalue over the wide limit"
        ),
        *shown,
    )
    yield PAPER.claim(
        "In very deep networks the largest eigenvalue depends on the number of layers, so that initial "
        "values need a suitable scale.",
        "The largest eigenvalue over its exact value in drawn networks, and the exponent of the depth "
        "in it, which is 1. It is 1 for orthogonal weights at the scale that keeps signals; a control "
        "with Gaussian weights has not this eigenvalue.",
        found.of("largest eigenvalue over the identity", "exponent of L in the largest"),
        *shown,
    )
    yield PAPER.claim(
        "The largest eigenvalue tells the learning rate that gradient descent needs in order to "
        "converge.",
        "The largest learning rate at which training stays stable, times the largest eigenvalue, "
        "beside 2, and the exponent of the depth in it.",
        found.of("largest stable learning rate", "exponent of L in the stable"),
        *shown,
    )
