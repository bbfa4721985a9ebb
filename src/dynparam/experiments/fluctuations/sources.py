"""What the thesis claims of fluctuations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.fluctuations.judge import ALIKE, GROWS
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import THESIS, SourceClaim


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The one claim."""
    found = Verdicts(files, "fluctuations")
    yield SourceClaim(
        THESIS,
        "Ch. 4",
        "In layers of few units random fluctuations are large.",
        "The scatter of log ||h^{L-1}||^2 over random networks at one image beside the exact law: under "
        "every parametrization and for every number of bottlenecks; and its exponent of the sum of "
        "1/n_l over hidden layers.",
        found.of(ALIKE, GROWS),
        found.evidence,
        config.fluctuations.figure,
    )
