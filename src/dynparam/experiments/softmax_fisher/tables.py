"""The forms of the tables that this experiment reads, and a name in them."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

HE = "he"
"""The scales of the network on Gaussian inputs: variance 2 / fan_in in every layer, the readout too."""

EIGENVALUES = Form(
    {
        "part": ("gaussian", "images"),
        "n": WHOLE,
        "scales": TEXT,
        "trial": WHOLE,
        "quantity": TEXT,
        "rank": COUNT,
        "value": NUMBER,
    },
    key=("part", "n", "scales", "trial", "quantity", "rank"),
)
"""The eigenvalues of every network (``measure.measure``)."""
