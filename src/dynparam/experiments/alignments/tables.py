"""The forms of the tables that this experiment reads besides trials."""

from __future__ import annotations

from dynparam.presentation.verdicts import COMPARISONS
from dynparam.statistics.verdicts import Verdict
from dynparam.support.tables import COUNT, GAPS, NUMBER, TEXT, Form

FITS = Form(
    {
        "curve": TEXT,
        "parametrization": TEXT,
        "layer": COUNT,
        "slope": NUMBER,
        "intercept": NUMBER,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "standard_error": GAPS,
        "judged_slope": NUMBER,
        "judged_low": GAPS,
        "judged_high": GAPS,
        "judged_error": GAPS,
        "freedom": COUNT,
        "joint_freedom": GAPS,
    },
    key=("layer",),
)
"""Slopes of one curve (``fits.fit_curve``)."""

EXPECTED = Form(
    {
        "curve": TEXT,
        "layer": COUNT,
        "n": COUNT,
        "alignment": NUMBER,
        "alignment_uncrossed": NUMBER,
    },
    key=("layer", "n"),
    complete=True,
)
"""Mean-field alignments of one curve (``expected.expected_values``)."""

SLOPES = Form(
    {
        "figure": TEXT,
        "curve": TEXT,
        "parametrization": TEXT,
        "layer": COUNT,
        "asymptotic": NUMBER,
        "expected": NUMBER,
        "slope": NUMBER,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "verdict": COMPARISONS,
        "note": TEXT,
        "expected_exact": GAPS,
        "expected_exact_error": GAPS,
        "deviation": GAPS,
        "drawn_slope": NUMBER,
        "drawn_low": GAPS,
        "drawn_high": GAPS,
        "joint_statistic": GAPS,
        "joint_layers": GAPS,
        "joint_freedom": GAPS,
        "joint_p": GAPS,
    },
    key=("figure", "curve", "layer"),
)
"""The comparison of slopes (``comparison.COLUMNS``)."""

WIDE = Form(
    {
        "kind": ("law", "dense", "slope"),
        "curve": TEXT,
        "n": NUMBER,
        "value": NUMBER,
        "asymptotic": NUMBER,
    }
)
"""The data of a figure at great widths (``wide_figure.COLUMNS``)."""

READINGS = Form(
    {
        "alternative": TEXT,
        "curve": TEXT,
        "layer": COUNT,
        "slope": NUMBER,
        "at_exponent": tuple(Verdict),
    },
    key=("alternative", "curve", "layer"),
)
"""What the findings quote of the open choices: slopes under other readings of the thesis."""
