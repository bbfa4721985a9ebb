"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.weight_decay.judge import DECAY, SIZES
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "weight decay that forgets the initial scales merges the test losses",
        "weight decay that forgets the initial scales does not merge the test losses",
        ("test loss, last epoch",),
        part=DECAY,
    ),
    Clause(
        "updates of size r = 1/2 have the lower test loss than smaller ones, each at its best rate",
        "updates of size r = 1/2 do not have the lower test loss than smaller ones",
        ("test loss, best epoch",),
        part=SIZES,
    ),
)
