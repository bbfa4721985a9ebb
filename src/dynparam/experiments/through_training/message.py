"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.through_training.judge import COSINE, LAZY, MOVEMENT, PARTICIPATION, RICH
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        f"{LAZY} moves its weights less than {RICH}",
        f"{LAZY} moves its weights no less than {RICH}",
        (MOVEMENT,),
    ),
    Clause(
        "keeps its kernel closer to its start",
        "does not keep its kernel closer to its start",
        (COSINE,),
    ),
    Clause(
        "spreads its features over more directions",
        "does not spread its features over more directions",
        (PARTICIPATION,),
    ),
)
