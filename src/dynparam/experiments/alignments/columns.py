"""The columns of the table of slopes."""

from __future__ import annotations

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import chance, fraction, plus_minus, signed, with_interval
from dynparam.presentation.tables import Column, TableView, shortened


def slopes_view(tolerance: float) -> TableView:
    """What a person sees of the slopes (``comparison.COLUMNS``), each beside what was expected."""
    drawn = Interval("slope", expected=("expected_exact", "expected"), tolerance=tolerance)
    columns = (
        Column("curve", "the curve of the configuration: widths and parametrization"),
        Column("figure", "the figure whose widths these are", show=_figure),
        Column("layer", "1 is the first hidden layer, the last one the readout", numeric=True),
        Column(
            "expected",
            "the slope that mean-field theory expects on these widths",
            show=signed,
            numeric=True,
        ),
        Column(
            "exact",
            "the same slope from many trials on the exact-law engine",
            ("expected_exact", "expected_exact_error"),
            plus_minus,
            numeric=True,
        ),
        Column(
            "measured",
            "least squares on log-log axes, the images' scatter taken out, with its interval",
            ("slope", "ci_low", "ci_high"),
            with_interval,
            numeric=True,
        ),
        Column(
            "verdict", "whether the interval lies within the tolerance of what is expected", verdict=True
        ),
        Column(
            "interval", "bar: interval; dot: measured; band: expected with the tolerance", picture=drawn
        ),
        Column(
            "thesis's claim",
            "whether it shows on these widths; the note says why where it does not",
            ("note",),
            prose=True,
            code=_shows,
        ),
        Column("asymptotic", "the exact exponent as n grows", show=fraction, numeric=True),
        Column(
            "whole curve",
            "the chance of differences as large as those of all its layers together, if none is real",
            ("joint_p",),
            chance,
            numeric=True,
        ),
        Column(
            "as drawn",
            "the slope that the figure shows: the images' scatter left in",
            ("drawn_slope", "drawn_low", "drawn_high"),
            with_interval,
            numeric=True,
        ),
        Column("parametrization"),
    )
    return TableView("slopes", "Measured against expected slopes", columns, ("figure", "verdict"))


def _figure(name: str) -> str:
    """``fig3_2_wide`` as ``Fig. 3.2 wide``."""
    return name.replace("_wide", " wide").replace("fig", "Fig. ").replace("_", ".")


def _shows(note: str) -> str:
    """Whether the thesis's claim shows, by a note of ``comparison.claim_note``, in a few words."""
    if "visible" not in note:
        return shortened(note)
    return "✗ not in this window" if "not visible" in note else "✓ visible"
