"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.presentation.verdicts import CLAIMS as VERDICTS
from dynparam.support.tables import COUNT, GAPS, TEXT, WHOLE, Form
from dynparam.training.curve_table import HOLDS

CURVES = Form(HOLDS, key=("seed", "epoch"))
"""Curves of one task under one parametrization."""

CLAIMS = Form(
    {
        "claim": TEXT,
        "source": TEXT,
        "metric": TEXT,
        "role": ("primary", "secondary"),
        "value": GAPS,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "p_value": GAPS,
        "p_holm": GAPS,
        "verdict": VERDICTS,
        "note": TEXT,
    },
    key=("claim", "source", "metric"),
)
"""The claims on training curves (``claims.COLUMNS``)."""

DOMAIN = Form(
    {
        "task": TEXT,
        "n": COUNT,
        "n_min": COUNT,
        "metric": TEXT,
        "epoch": TEXT,
        "value": GAPS,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "seeds": WHOLE,
        "draws": WHOLE,
        "verdict": VERDICTS,
        "panel": ("n", "ratio"),
    },
    key=("task", "n", "n_min", "metric", "epoch", "panel"),
    may_be_empty=True,
)
"""The data of the figure of other networks (``domain_figure.domain_data``)."""
