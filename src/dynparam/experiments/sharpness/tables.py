"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form
from dynparam.theory.parametrization import NAMES

WIDTHS = Form(
    {
        "family": TEXT,
        "parametrization": NAMES,
        "n": COUNT,
        "n_min": COUNT,
        "trial": WHOLE,
        "sharpness": NUMBER,
        "expected": NUMBER,
    },
    key=("family", "parametrization", "n", "trial"),
)
"""Sharpness against width (``measure.measure_widths``)."""

LIMITS = Form(
    {
        "inputs": ("pooled", "whole"),
        "family": TEXT,
        "parametrization": NAMES,
        "n": COUNT,
        "sharpness": NUMBER,
    },
    key=("inputs", "family", "parametrization", "n"),
)
"""The wide limit (``measure.wide_limits``)."""

NORMALIZATION = Form(
    {
        "inputs": ("proportional", "fixed"),
        "width": COUNT,
        "trial": WHOLE,
        "normalization": ("none", "mean", "batch", "layer"),
        "sharpness": NUMBER,
        "expected": NUMBER,
    },
    key=("inputs", "width", "trial", "normalization"),
)
"""Sharpness of normalized outputs (``measure.measure_normalization``)."""

RATES = Form(
    {
        "family": TEXT,
        "parametrization": NAMES,
        "n": COUNT,
        "sharpness": NUMBER,
        "rate": NUMBER,
        "product": NUMBER,
    },
    key=("family", "parametrization", "n"),
    complete=True,
)
"""The largest stable learning rates (``measure.measure_rates``)."""

THESIS = Form(
    {
        "family": TEXT,
        "parametrization": NAMES,
        "exponent": NUMBER,
        "last_decade": NUMBER,
        "window": NUMBER,
    },
    key=("family", "parametrization"),
    complete=True,
)
"""Slopes of the wide limit along the thesis's families (``judge.thesis_slopes``)."""
