"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.delay_law.judge import EXPONENT, GROWTH
from dynparam.provenance.judged_message import Clause

CLAUSES = (
    Clause(
        "under spectral the delay grows with R as theory says, by the number of bottlenecks",
        "under spectral the delay does not grow with R as theory says",
        (EXPONENT,),
        part="series",
    ),
    Clause(
        "along families of widths it grows under spectral alone",
        "along families of widths it does not grow under spectral alone",
        (GROWTH,),
        part="families",
    ),
)
