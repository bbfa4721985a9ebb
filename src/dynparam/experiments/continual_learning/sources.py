"""What the report claims of continual learning."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dynparam.experiments.continual_learning.judge import AGAIN, CRITICAL
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import REPORT, SourceClaim

PAPER = "Karakida and Akaho, ICLR 2022"

MISSING = (
    "The paper's spectra and its networks trained by gradient descent; only its abstract was at hand."
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "continual_learning")
    claim = partial(
        SourceClaim,
        REPORT,
        "Sec. 4 (2)",
        evidence=found.evidence,
        figure=config.continual_learning.figure,
        paper=PAPER,
        missing=MISSING,
    )
    yield claim(
        "The replica method gives the typical errors of generalization in continual learning.",
        "Errors of kernel regression on one task after another over those of theory, on Gaussian "
        "modes and on images through the kernel of a bottleneck network.",
        found.of("error of"),
    )
    yield claim(
        "Transfer works without loss only if the numbers of samples of the tasks are balanced.",
        "The error after the same task again, less that before it: it falls with balanced samples, "
        "and grows with few after many.",
        found.of(AGAIN),
    )
    yield claim(
        "How similar the tasks are decides too.",
        "The similarity from which an earlier task helps the next one, beside theory's. It is 1/2 for "
        "targets whose powers are the eigenvalues, and no similarity suffices for the control's "
        "smoother targets.",
        found.of(CRITICAL),
    )
    yield claim(
        "Deep networks show the same.",
        "Not tested on trained networks: only their kernels were used.",
        evidence="",
        figure="",
    )
