"""The columns of the table of the entries of Table 1.1."""

from __future__ import annotations

from collections.abc import Mapping

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import fraction, signed, with_interval
from dynparam.presentation.tables import Column, TableView, shortened

SYMBOLS: Mapping[str, str] = {
    "preactivation": "|h̃_i|",
    "update": "|Δh̃_i|",
    "own": "|Δh̃_i|, own part",
    "cosine": "cos(∂L/∂h̃, Δh̃)",
}
"""The column heads of Table 1.1, without the layer's index; then what it does not have."""


def words(name: str) -> str:
    """``constant_ratio`` as ``constant ratio``."""
    return name.replace("_", " ")


def entries_view(tolerance: float) -> TableView:
    """What a person sees of the entries (``table1_1.COLUMNS``)."""
    columns = (
        Column("parametrization"),
        Column("family", "how the narrow width grows with n", show=words),
        Column(
            "quantity",
            "one coordinate of the preactivation, of its update, or of the part of the update that the "
            "layer's own weights make; or the cosine of the angle between gradient and update",
            show=SYMBOLS.__getitem__,
        ),
        Column("layer", numeric=True),
        Column(
            "measured",
            "the measured slope, with its interval",
            ("slope", "ci_low", "ci_high"),
            with_interval,
            numeric=True,
        ),
        Column("exact", "the exponent that follows from the definitions", show=fraction, numeric=True),
        Column("verdict", "measured against the exact exponent", verdict=True),
        Column(
            "claimed",
            "the exponent that Table 1.1 gives, and eq. 2.32 for the cosine",
            show=fraction,
            numeric=True,
        ),
        Column("claim", "measured against the exponent of Table 1.1", verdict=True),
        Column(
            "interval",
            "bar: interval; dot: measured; band: exact exponent with the tolerance",
            picture=Interval("slope", expected=("exact",), tolerance=tolerance),
        ),
        Column("note", prose=True, code=shortened),
        Column("expected", "the slope that theory expects on these widths", show=signed, numeric=True),
    )
    chosen = ("parametrization", "family", "verdict", "claim")
    return TableView("entries", "Every entry of Table 1.1", columns, chosen)
