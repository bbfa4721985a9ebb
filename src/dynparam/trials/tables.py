"""The form of a table of one-step trials."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

ONE_STEP_TRIALS = Form(
    {
        "curve": TEXT,
        "parametrization": TEXT,
        "ratio": TEXT,
        "n": COUNT,
        "n_min": COUNT,
        "trial": WHOLE,
        "layer": COUNT,
        "relative_square": NUMBER,
        "alignment": NUMBER,
        "preactivation_rms": NUMBER,
        "update_rms": NUMBER,
        "gradient_norm": NUMBER,
        "own_rms": NUMBER,
    },
    key=("curve", "n", "trial", "layer"),
    complete=True,
)
"""What ``one_step.measure_curve`` gives: a row for every layer of every trial."""
