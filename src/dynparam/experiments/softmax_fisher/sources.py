"""What the report claims of the Fisher information of softmax cross-entropy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Karakida et al., Neural Computation 2021",
    "Sec. 4 (1)",
    "The paper itself: its widths, its data, and the size of the spread that it reports.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "softmax_fisher")
    shown = found.evidence, config.softmax_fisher.figure
    yield PAPER.claim(
        "With cross-entropy too, eigenvalues that depend on the width stand out, as with the squared "
        "loss.",
        "Eigenvalues that stand out over those of the wide limit, with Gaussian inputs and on images, "
        "and how many stand out with the squared loss.",
        found.of("mean over", "sum of", "e_1 /", "outliers"),
        *shown,
    )
    yield PAPER.claim(
        "Softmax spreads these eigenvalues.",
        "The spread of the eigenvalues that stand out, over that with the squared loss. It has to be "
        "large where outputs stay of order one (ntk, standard), and next to one where outputs vanish "
        "as networks widen.",
        found.of("spread e_1 / e_{C-1} over"),
        *shown,
    )
    yield PAPER.claim(
        "The metric of the input space has the same property.",
        "The largest eigenvalue of the input metric over that of the wide limit.",
        found.of("largest eigenvalue of the input metric"),
        *shown,
    )
    yield PAPER.untested(
        "Batch normalization suppresses the outliers of cross-entropy too.",
        "Not tested: normalized outputs were measured with the squared loss alone.",
    )
