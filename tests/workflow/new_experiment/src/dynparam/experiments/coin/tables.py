"""The forms of the tables that are read."""

from __future__ import annotations

from dynparam.presentation.verdicts import COMPARISONS
from dynparam.support.tables import GAPS, NUMBER, TEXT, Form

TOSSES = Form({"coin": TEXT, "share": NUMBER})
"""Shares of heads of one coin (``measure.toss``)."""

SHARES = Form(
    {
        "coin": TEXT,
        "expected": NUMBER,
        "share": NUMBER,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "verdict": COMPARISONS,
    },
    key=("coin",),
)
"""The coins, judged (``judge.judged``)."""
