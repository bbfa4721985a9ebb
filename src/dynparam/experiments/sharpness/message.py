"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.sharpness.judge import RATE, SLOPE
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "the largest Fisher eigenvalue goes with width as theory says, under every parametrization",
        "the largest Fisher eigenvalue does not go with width as theory says",
        (SLOPE,),
        part="widths",
    ),
    Clause(
        "2 over it is the largest rate that trains",
        "2 over it is not the largest rate that trains",
        (RATE,),
    ),
)
