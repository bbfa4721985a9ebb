"""What the report claims of attentional Boltzmann machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.attentional_boltzmann.judge import EXCESS, EXPONENT, FACTOR, MEAN, STEPS
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Ota and Karakida, Neural Computation 2023",
    "Sec. 4 (3)",
    "The paper's own experiments on images; the energy and the likelihood were read in its public code.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "attentional_boltzmann")
    shown = found.evidence, config.attentional_boltzmann.figure
    yield PAPER.claim(
        "Its likelihood is easier to compute than that of other Boltzmann machines.",
        "The partition function by importance sampling over its formula.",
        found.of("partition function"),
        *shown,
    )
    yield PAPER.claim(
        "Attention selects one Gaussian of a mixture.",
        "The machine fitted to Gaussians that lie apart has the excess loss of a mixture of so many "
        "parameters. Gaussians that overlap are the control.",
        found.of(EXCESS),
        *shown,
    )
    yield PAPER.claim(
        "Its typical course of learning can be analysed.",
        "How much weights grow in one step along each direction of the data, how the mean weight "
        "shrinks, and how many steps small weights take to grow, over theory.",
        found.of(FACTOR, MEAN, STEPS, EXPONENT),
        *shown,
    )
