"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

MEASURED = Form(
    {
        "part": ("partition", "growth", "escape", "mixture"),
        "kind": TEXT,
        "hidden": COUNT,
        "trial": WHOLE,
        "quantity": TEXT,
        "at": COUNT,
        "value": NUMBER,
    },
    key=("part", "kind", "hidden", "trial", "quantity", "at"),
)
"""What is measured of every machine (``measure.measure``)."""
