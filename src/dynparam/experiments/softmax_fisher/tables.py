"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

EIGENVALUES = Form(
    {
        "part": ("gaussian", "images"),
        "n": WHOLE,
        "scales": TEXT,
        "trial": WHOLE,
        "quantity": TEXT,
        "rank": COUNT,
        "value": NUMBER,
    },
    key=("part", "n", "scales", "trial", "quantity", "rank"),
)
"""The eigenvalues of every network (``measure.measure``)."""
