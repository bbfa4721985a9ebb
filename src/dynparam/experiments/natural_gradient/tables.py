"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

RESIDUALS = Form(
    {
        "part": ("gaussian", "images", "one_step"),
        "n": COUNT,
        "scales": TEXT,
        "method": TEXT,
        "trial": WHOLE,
        "step": COUNT,
        "residual": NUMBER,
    },
    key=("part", "n", "scales", "method", "trial", "step"),
)
"""What every step leaves of the residual (``measure.measure``)."""
