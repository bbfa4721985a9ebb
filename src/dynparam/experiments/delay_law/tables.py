"""The form of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

DELAYS = Form(
    {
        "part": TEXT,
        "kind": TEXT,
        "bottlenecks": COUNT,
        "parametrization": TEXT,
        "n": COUNT,
        "n_min": COUNT,
        "learning_rate": NUMBER,
        "trial": WHOLE,
        "steps": NUMBER,
    },
    key=("part", "kind", "bottlenecks", "parametrization", "n", "n_min", "trial"),
)
"""Steps until the loss is halved (``measure.measure``)."""
