"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.receptive_fields.judge import BY_A_BLUR
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "correlated weights withstand noise as a blur of the images does",
        "correlated weights do not withstand noise as a blur of the images does",
        (BY_A_BLUR,),
    ),
    Clause(
        "windows withstand a square better than all that they are held beside",
        "windows do not withstand a square better than what they are held beside",
        ("displacement by a square, change",),
    ),
)
