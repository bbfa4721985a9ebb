"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.continual_learning.judge import AGAIN, CRITICAL
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "the same task again helps, and is forgotten, where theory says so",
        "it is not where theory says so that the same task again helps",
        (AGAIN,),
    ),
    Clause(
        "another one helps from the similarity on that theory names",
        "another one does not help from the similarity on that theory names",
        (CRITICAL,),
    ),
)
