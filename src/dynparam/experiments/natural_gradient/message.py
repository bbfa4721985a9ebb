"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.natural_gradient.judge import EXPONENT, RATIO
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "approximate natural gradients train wide networks as the exact one",
        "approximate natural gradients do not train wide networks as the exact one",
        (RATIO,),
    ),
    Clause(
        "one full step leaves more the wider spectral is",
        "one full step does not leave more the wider spectral is",
        (f"{EXPONENT}: grows",),
    ),
)
