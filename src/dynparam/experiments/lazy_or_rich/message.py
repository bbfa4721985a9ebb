"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "under ntk wider networks train more as their linearization",
        "under ntk wider networks do not train more as their linearization",
        ("exponent of n in |f",),
    ),
    Clause(
        "kernels change at every width under mup and under dynamic with r = 1/2",
        "kernels change less and less under mup and under dynamic with r = 1/2",
        ("exponent of n_min, mup", "exponent of n_min, dynamic, r = 1/2"),
    ),
)
