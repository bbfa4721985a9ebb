"""The forms of the tables that this experiment reads besides trials."""

from __future__ import annotations

from dynparam.presentation.verdicts import CLAIMS, COMPARISONS
from dynparam.support.tables import COUNT, GAPS, NOTE, NUMBER, TEXT, Form

ENTRIES = Form(
    {
        "parametrization": TEXT,
        "family": TEXT,
        "layer": COUNT,
        "quantity": ("preactivation", "own", "update", "cosine"),
        "claimed": NUMBER,
        "exact": NUMBER,
        "expected": NUMBER,
        "slope": NUMBER,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "verdict": COMPARISONS,
        "claim": CLAIMS,
        "note": NOTE,
    },
    key=("parametrization", "family", "layer", "quantity"),
)
"""Table 1.1, measured (``table1_1.COLUMNS``)."""

CONDITIONS = Form(
    {
        "parametrization": TEXT,
        "family": TEXT,
        "condition": TEXT,
        "theory": CLAIMS,
        "measured": CLAIMS,
        "verdict": COMPARISONS,
    },
    key=("parametrization", "family", "condition"),
)
"""The data of the figure of conditions (``conditions.COLUMNS``)."""
