"""What the report claims of local receptive fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.receptive_fields.judge import DISPLACED
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Watanabe et al., Neural Networks 2023",
    "Sec. 4 (3)",
    "The paper's networks, images and disturbances; this re-creates its experiment with kernels.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "receptive_fields")
    shown = found.evidence, config.receptive_fields.figure
    displaced = tuple(DISPLACED.values())
    yield PAPER.claim(
        "Local receptive fields make a wide network robust against disturbed inputs.",
        "Qualitative: how much noise and a square displace the predictor of a network with windows, "
        "beside dense networks and beside permuted pixels. The paper's other structure, weights that "
        "are correlated between neighbours, is told in the findings: it is entirely a blur.",
        found.of(*displaced, setting="windows"),
        *shown,
    )
