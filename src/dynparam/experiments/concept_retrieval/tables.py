"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, GAPS, NUMBER, TEXT, WHOLE, Form

MEASURED = Form(
    {
        "part": ("linear", "nonlinear"),
        "kind": ("clusters", "gaussian"),
        "latent": COUNT,
        "trial": WHOLE,
        "quantity": TEXT,
        "at": WHOLE,
        "value": NUMBER,
        "expected": GAPS,
    },
    key=("part", "kind", "latent", "trial", "quantity", "at"),
)
"""What is measured of every autoencoder (``measure.measure``); theory, where there is one."""
