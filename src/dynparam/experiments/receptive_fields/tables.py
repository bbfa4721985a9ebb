"""The form of the table that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import NUMBER, WHOLE, Form

DENSE, LOCAL, PERMUTED, WEIGHTED, CORRELATED, BLURRED = KINDS = (
    "dense",
    "local",
    "permuted",
    "weighted",
    "correlated",
    "blurred",
)
"""Kinds of networks: dense; with windows; with windows on permuted pixels; dense on pixels weighted as
windows do; with correlated weights; dense on blurred images."""

CLEAN, SQUARE, NOISE = "clean", "square", "noise"

ACCURACY, DISPLACEMENT = (
    {CLEAN: "accuracy_clean", SQUARE: "accuracy_square", NOISE: "accuracy_noise"},
    {SQUARE: "displacement_square", NOISE: "displacement_noise"},
)
"""The quantities of each disturbance."""

APART, DRAWN = "apart_from_", "drawn_over_"

QUANTITIES = (
    *ACCURACY.values(),
    *DISPLACEMENT.values(),
    *(f"{APART}{kind}" for kind in (DENSE, PERMUTED, BLURRED)),
    *(f"{DRAWN}{kind}" for kind in (DENSE, LOCAL)),
)
"""Accuracies; displacements; the largest distance from another kind's kernel, over its largest entry;
and the mean entry of a drawn network's kernel over that of theory."""

MEASURED = Form(
    {"kind": KINDS, "at": NUMBER, "trial": WHOLE, "quantity": QUANTITIES, "value": NUMBER},
    key=("kind", "at", "trial", "quantity"),
)
"""What ``measure.measure`` makes of a pair; ``at`` is a radius or a length, 0 where there is none."""
