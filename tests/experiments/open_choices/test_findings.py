from fractions import Fraction

import pandas as pd
import pytest

from dynparam.experiments.open_choices.findings import Found
from dynparam.experiments.open_choices.settings import for_open_choices
from tests.open_choices import CONFIG

SHOWS, NOT, UNDECIDED = "shows", "does not show", "undecided"


def changes(*rows):
    """Rows of the table of changes: (alternative, change, shows_by_default, shows)."""
    columns = ["alternative", "change", "shows_by_default", "shows"]
    return pd.DataFrame(list(rows), columns=columns)


def found(*rows):
    return Found(CONFIG.network, for_open_choices(CONFIG), changes(*rows)).open_choices()


@pytest.mark.parametrize(
    ("default", "chosen", "moved"),
    [
        (SHOWS, SHOWS, 0),
        (NOT, NOT, 0),
        (SHOWS, NOT, 1),
        (NOT, SHOWS, 1),
        (SHOWS, UNDECIDED, 0),
        (UNDECIDED, SHOWS, 0),
        (NOT, UNDECIDED, 0),
        (UNDECIDED, NOT, 0),
        (UNDECIDED, UNDECIDED, 0),
    ],
)
def test_a_slope_that_changes_sides_is_counted(default, chosen, moved):
    """One that is undecided on either side is not."""
    assert found(("a", 0.1, SHOWS, SHOWS), ("b", 0.1, default, chosen))["moved"] == moved


def test_slopes_that_move_are_counted_one_by_one_and_alternatives_once():
    rows = [("a", 0.1, SHOWS, NOT), ("a", 0.1, NOT, SHOWS), ("b", 0.1, SHOWS, SHOWS)]
    assert (found(*rows)["moved"], found(*rows)["alternatives"]) == (2, 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_change_may_be_of_either_sign(sign):
    """A row's place in the table is not its label."""
    rows = [
        ("a", 0.1 * sign, SHOWS, SHOWS),
        ("b", -0.3 * sign, SHOWS, SHOWS),
        ("c", 0.2 * sign, NOT, NOT),
    ]
    assert found(*rows)["largest"] == {
        "alternative": "b",
        "change": -0.3 * sign,
        "shows_by_default": SHOWS,
        "shows": SHOWS,
    }
    table = changes(*rows).set_index(pd.Index([7, 0, 1]))
    largest = Found(CONFIG.network, for_open_choices(CONFIG), table).open_choices()["largest"]
    assert largest["alternative"] == "b"


def test_exponents_compared_differ_by_those_of_the_thesis():
    """Fig. 3.2: -1 against 0; Fig. 3.3: -8/5 against 0."""
    found = Found(CONFIG.network, for_open_choices(CONFIG), changes())
    assert found.differences() == [1, Fraction(8, 5)]
