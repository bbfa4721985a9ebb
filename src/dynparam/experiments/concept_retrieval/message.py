"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.concept_retrieval.judge import LEAST, PAIRED, RISE, TIME, WORST
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "linear autoencoders draw patterns to their concept and away again as a closed form says",
        "linear autoencoders do not draw patterns to their concept as a closed form says",
        (TIME, LEAST, RISE),
        part="linear",
    ),
    Clause(
        "nonlinear ones draw them to it too",
        "nonlinear ones do not draw them to it",
        (LEAST, WORST, PAIRED),
        part="nonlinear",
    ),
)
