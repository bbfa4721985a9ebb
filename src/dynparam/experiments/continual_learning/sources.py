"""What the report claims of continual learning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.continual_learning.judge import AGAIN, CRITICAL
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Karakida and Akaho, ICLR 2022",
    "Sec. 4 (2)",
    "The paper's spectra and its networks trained by gradient descent; only its abstract was at hand.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "continual_learning")
    shown = found.evidence, config.continual_learning.figure
    yield PAPER.claim(
        "The replica method gives the typical errors of generalization in continual learning.",
        "Errors of kernel regression on one task after another over those of theory, on Gaussian "
        "modes and on images through the kernel of a bottleneck network.",
        found.of("error of"),
        *shown,
    )
    yield PAPER.claim(
        "Transfer works without loss only if the numbers of samples of the tasks are balanced.",
        "The error after the same task again, less that before it: it falls with balanced samples, "
        "and grows with few after many.",
        found.of(AGAIN),
        *shown,
    )
    yield PAPER.claim(
        "How similar the tasks are decides too.",
        "The similarity from which an earlier task helps the next one, beside theory's. It is 1/2 for "
        "targets whose powers are the eigenvalues, and no similarity suffices for the control's "
        "smoother targets.",
        found.of(CRITICAL),
        *shown,
    )
    yield PAPER.untested(
        "Deep networks show the same.",
        "Not tested on trained networks: only their kernels were used.",
    )
