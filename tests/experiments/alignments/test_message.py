"""What the figures of alignments say: other data, another sentence."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.alignments.message import Courses, courses, probe_message, wide_message

FALLS, STAYS, RISES, OPEN = (-0.5, -0.4), (-0.02, 0.03), (0.2, 0.3), (0.03, 0.07)


def known(parametrization, narrow, intervals):
    """The tables of a curve from n = 1000 to 10,000 whose slopes have these intervals."""
    plotted = pd.DataFrame(
        {
            "parametrization": parametrization,
            "n": [1000, 10_000],
            "n_min": [narrow(1000), narrow(10_000)],
        }
    )
    low, high = zip(*intervals, strict=True)
    return plotted, pd.DataFrame({"judged_low": low, "judged_high": high})


def said(*curves):
    return probe_message([courses(*known(*curve), tolerance=0.05) for curve in curves])


def fixed(n):
    return n // 5


def sharpening(n):
    return round(6 * n**0.5)


def test_what_both_curves_share_is_said_once():
    assert said(("spectral", sharpening, [FALLS] * 3), ("dynamic", sharpening, [STAYS] * 3)) == (
        "As the bottleneck sharpens, alignments fall in every layer under spectral, and stay in every "
        "layer under dynamic"
    )
    assert said(("spectral", fixed, [RISES] * 2 + [OPEN]), ("spectral", sharpening, [FALLS] * 3)) == (
        "Under spectral, alignments rise in 2 and are undecided in 1 of 3 layers at a constant ratio, "
        "and fall in every layer as the bottleneck sharpens"
    )
    assert said(("ntk", fixed, [STAYS])) == (
        "Under ntk, at a constant ratio, alignments stay in every layer"
    )


def test_other_slopes_another_sentence():
    """The other way round, nothing decided, and an interval that is not known."""
    turned = said(("spectral", sharpening, [STAYS] * 3), ("dynamic", sharpening, [RISES] * 3))
    assert "stay in every layer under spectral, and rise in every layer under dynamic" in turned
    assert "are undecided in every layer" in said(("spectral", fixed, [OPEN, (np.nan, np.nan)]))


@pytest.mark.parametrize(
    ("interval", "course"),
    [
        ((-0.05, 0.05), "stay"),
        ((-0.0501, 0.05), "are undecided"),
        ((-0.08, -0.03), "are undecided"),
        ((-0.08, -0.0501), "fall"),
        ((0.0501, 0.08), "rise"),
    ],
)
def test_a_course_is_decided_as_slopes_are(interval, course):
    """Within the tolerance, wholly beyond it, or neither: the verdicts' rule, at its edges."""
    assert courses(*known("ntk", fixed, [interval]), tolerance=0.05).layers == (course,)


def test_ratios_that_rounding_changes_are_constant():
    assert courses(*known("ntk", lambda n: n // 5 + 1, [STAYS]), tolerance=0.05) == Courses(
        "ntk", "at a constant ratio", ("stay",)
    )


def local(values):
    """Local slopes at n = 1000, 10,000, ... whose exponents are -1."""
    n = [10 ** (3 + place) for place in range(len(values))]
    return pd.DataFrame({"kind": "slope", "n": n, "value": values, "asymptotic": -1.0})


def test_slopes_arrive_where_the_last_one_of_all_curves_does():
    early, late = local([-0.99, -1.0, -1.0]), local([-0.5, -0.9, -1.04])
    assert wide_message([early, early], 0.05) == (
        "From n = 1000 on, every local slope is at its exact exponent"
    )
    assert wide_message([early, late], 0.05).startswith("From n = 100,000 on")
    assert wide_message([early, local([-1.0, -1.0, -0.9])], 0.05) == (
        "By n = 100,000 not every local slope is at its exact exponent"
    )
