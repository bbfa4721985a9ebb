"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "softmax spreads the eigenvalues that stand out where outputs are of order one alone",
        "it is not where outputs are of order one that softmax spreads the eigenvalues that stand out",
        ("spread e_1 / e_{C-1} over",),
    ),
)
