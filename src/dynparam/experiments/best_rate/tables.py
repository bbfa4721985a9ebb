"""The table of what every scheme comes to at its best rate."""

from __future__ import annotations

from dynparam.support.tables import COUNT, GAPS, NOTE, NUMBER, TEXT, Form
from dynparam.theory.parametrization import NAMES
from dynparam.training.arms.quantities import QUANTITIES

BEST = Form(
    {
        "task": TEXT,
        "n": COUNT,
        "n_min": COUNT,
        "seeds": COUNT,
        "scheme": TEXT,
        "initialization": NAMES,
        "rates": NAMES,
        "best_rate": NUMBER,
        "edge": NOTE,
        "score": NUMBER,
        "near_low": NUMBER,
        "near_high": NUMBER,
        "largest_learning": GAPS,
        **{f"{quantity.metric}_{quantity.place}": GAPS for quantity in QUANTITIES},
    },
    key=("task", "n", "n_min", "scheme"),
)
"""``edge``: whether a best rate is the smallest or the largest tried. ``near_low`` to ``near_high`` do
nearly as well. At ``largest_learning`` no run diverges, or ends with more loss than it began with."""
