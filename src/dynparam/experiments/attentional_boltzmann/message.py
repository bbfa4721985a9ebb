"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.attentional_boltzmann.judge import EXPONENT, FACTOR
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "what varies more than the Gaussians is learned, and nothing else",
        "it is not what varies more than the Gaussians that is learned",
        (FACTOR,),
    ),
    Clause(
        "more hidden units slow it at a fixed rate, not at one in proportion to them",
        "hidden units slow it otherwise than theory says",
        (EXPONENT,),
    ),
)
