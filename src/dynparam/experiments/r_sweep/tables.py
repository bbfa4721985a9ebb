"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.presentation.verdicts import COMPARISONS
from dynparam.support.tables import ANY, COUNT, GAPS, NOTE, NUMBER, TEXT, WHOLE, Form

TRIALS = Form(
    {
        "experiment": ("second_step", "training"),
        "reference": TEXT,
        "r": NUMBER,
        "n": COUNT,
        "n_min": COUNT,
        "update_norm": NUMBER,
        "trial": WHOLE,
        "step": COUNT,
        "layer": COUNT,
        "gradient_norm": NUMBER,
        "drift": ANY,
        "diverged_at": GAPS,
    },
    key=("experiment", "r", "n", "trial", "step", "layer"),
)
"""Trials with updates of the size of one reference (``measure.measure_sweep``)."""

EDGES = Form(
    {
        "statistic": ("drift", "growth"),
        "reference": TEXT,
        "edge_expected": NUMBER,
        "edge": GAPS,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "update_exponent": GAPS,
        "update_expected": NUMBER,
        "verdict": COMPARISONS,
        "note": NOTE,
    },
    key=("statistic", "reference"),
)
"""The measured edges (``edges.SUMMARY``)."""

EXPONENTS = Form(
    {
        "statistic": ("drift", "growth"),
        "reference": TEXT,
        "r": NUMBER,
        "layer": COUNT,
        "expected": GAPS,
        "exponent": GAPS,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "trials": WHOLE,
        "verdict": NOTE,
    },
    key=("statistic", "reference", "r", "layer"),
)
"""The exponents that edges follow from (``edges.exponents``)."""
