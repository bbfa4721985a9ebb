"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

MEASURED = Form(
    {
        "part": ("spectrum", "three", "control", "descent", "bottleneck"),
        "depth": COUNT,
        "kind": TEXT,
        "trial": WHOLE,
        "quantity": TEXT,
        "rank": COUNT,
        "value": NUMBER,
    },
    key=("part", "depth", "kind", "trial", "quantity", "rank"),
)
"""What is measured of every network (``measure.measure``)."""
