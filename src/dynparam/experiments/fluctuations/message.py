"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.fluctuations.judge import LOSS, SQUARE
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "random networks scatter as the sum of 1/n_l says",
        "random networks do not scatter as the sum of 1/n_l says",
        (
            f"coefficient of variation of {SQUARE}",
            f"standard deviation of log {SQUARE}",
            f"exponent of sum 1/n_l in the standard deviation of log {SQUARE}",
        ),
    ),
    Clause(
        "losses of trained seeds scatter more with it",
        "losses of trained seeds do not scatter more with it",
        (LOSS,),
    ),
)
