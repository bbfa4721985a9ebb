"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "the largest eigenvalue of one input grows as the depth",
        "the largest eigenvalue of one input does not grow as the depth",
        ("exponent of L in the largest",),
    ),
    Clause(
        "the largest stable rate falls as its inverse",
        "the largest stable rate does not fall as its inverse",
        ("exponent of L in the stable",),
    ),
)
