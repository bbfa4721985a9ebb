"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, GAPS, NUMBER, TEXT, WHOLE, Form

TRIALS = Form(
    {
        "parametrization": TEXT,
        "bottlenecks": COUNT,
        "n_min": COUNT,
        "trial": WHOLE,
        "square": NUMBER,
        "own": NUMBER,
        "alignment": NUMBER,
    },
    key=("parametrization", "bottlenecks", "n_min", "trial"),
    complete=True,
)
"""What is measured of every random network (``measure.measure``)."""

SPREAD = Form(
    {
        "task": TEXT,
        "parametrization": TEXT,
        "n": COUNT,
        "n_min": COUNT,
        "draw": WHOLE,
        "quantity": ("loss", "fall"),
        "inverse_sum": NUMBER,
        "seeds": COUNT,
        "mean": NUMBER,
        "variance": GAPS,
    },
    key=("task", "parametrization", "n", "n_min", "draw", "quantity"),
)
"""How far seeds lie apart in training (``spread.spread``)."""
