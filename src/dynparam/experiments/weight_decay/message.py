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
        "at best rates updates with r = 1/2 have a lower test loss than smaller ones",
        "at best rates updates with r = 1/2 have no lower test loss than smaller ones",
        ("test loss, best epoch",),
        part=SIZES,
    ),
)
