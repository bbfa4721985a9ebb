import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.experiments.alignments.comparison import ExpectedSlopes, claim_note
from dynparam.trials.claims import Showing, showing


@given(st.sampled_from(["flat", "decreasing"]), st.floats(-1, 1), st.floats(0, 1))
def test_showing_is_what_the_comparison_table_notes(claim, low, width):
    slopes = ExpectedSlopes(asymptotic=0.0, on_window=0.0, uncrossed=0.0)
    note = claim_note(claim, (low, low + width), slopes, 0.2, 10_000)
    visible = "not visible" not in note
    assert (showing(claim, low, low + width, 0.2) is Showing.YES) == visible


@pytest.mark.parametrize(
    ("claim", "low", "high", "expected"),
    [
        ("flat", -0.1, 0.1, Showing.YES),
        ("flat", 0.1, 0.3, Showing.UNDECIDED),
        ("flat", 0.3, 0.4, Showing.NO),
        ("flat", -0.4, -0.3, Showing.NO),
        ("decreasing", -0.4, -0.3, Showing.YES),
        ("decreasing", -0.15, -0.05, Showing.YES),
        ("decreasing", -0.1, 0.1, Showing.UNDECIDED),
        ("decreasing", 0.05, 0.15, Showing.NO),
        ("decreasing", 0.1, 0.2, Showing.NO),
        ("flat", 0.05, 0.15, Showing.YES),
        ("flat", -0.15, -0.05, Showing.YES),
        # Ends on a limit: within the tolerance is still within, and 0 is not below zero.
        ("flat", -0.2, 0.2, Showing.YES),
        ("flat", -0.3, 0.1, Showing.UNDECIDED),
        ("flat", -0.3, -0.1, Showing.UNDECIDED),
        ("flat", -0.3, 0.3, Showing.UNDECIDED),
        ("decreasing", -0.2, 0.0, Showing.UNDECIDED),
        ("decreasing", 0.0, 0.0, Showing.NO),
        ("decreasing", 0.0, 0.2, Showing.NO),
    ],
)
def test_showing(claim, low, high, expected):
    assert showing(claim, low, high, 0.2) is expected
