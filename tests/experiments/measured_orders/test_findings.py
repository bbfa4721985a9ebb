"""What the findings say of Table 1.1 and of the conditions, from planted tables."""

import pandas as pd
import pytest

from dynparam.experiments.measured_orders.findings import Found
from dynparam.settings.widths import NarrowWidth

FAMILIES = {
    "equal": NarrowWidth(coefficient=1, exponent=1),
    "constant_ratio": NarrowWidth(coefficient="1/5", exponent=1),
    "square_root": NarrowWidth(coefficient=6, exponent="1/2"),
}


def entries(*rows):
    """Entries of Table 1.1: (family, verdict, claim)."""
    return pd.DataFrame(
        {
            "parametrization": "ntk",
            "family": family,
            "layer": 3,
            "quantity": "update",
            "exact": -0.25,
            "slope": -0.5,
            "verdict": verdict,
            "claim": claim,
            "note": "a reason",
        }
        for family, verdict, claim in rows
    )


def conditions(*rows):
    """Cells of the matrix: (parametrization, family, condition, theory, verdict)."""
    columns = ["parametrization", "family", "condition", "theory", "verdict"]
    return pd.DataFrame(list(rows), columns=columns)


HOLDS, FAILS = ("agrees", "holds"), ("agrees", "fails")


def test_entries_are_counted():
    table = entries(
        ("equal", "agrees", "holds"),
        ("equal", "undecided", "holds"),
        ("square_root", "agrees", "fails"),
        ("square_root", "disagrees", "undecided"),
        ("square_root", "agrees", "holds"),
    )
    counts = Found(FAMILIES, table, conditions()).table_counts()
    assert counts == {"families": 2, "all": 5, "agrees": 3, "holds": 3}


@pytest.mark.parametrize(
    ("claims", "so"),
    [
        ({"equal": "holds", "constant_ratio": "holds", "square_root": "fails"}, True),
        ({"equal": "holds", "constant_ratio": "holds", "square_root": "holds"}, False),
        ({"equal": "holds", "constant_ratio": "holds", "square_root": "undecided"}, False),
        ({"equal": "holds", "constant_ratio": "fails", "square_root": "fails"}, False),
        ({"equal": "holds", "constant_ratio": "undecided", "square_root": "fails"}, False),
        ({"square_root": "fails"}, False),
    ],
)
def test_only_dynamic_ratios_depart(claims, so):
    table = entries(*((family, "agrees", claim) for family, claim in claims.items()))
    assert Found(FAMILIES, table, conditions()).only_dynamic_ratios_depart() is so


def test_surprises_are_the_entries_that_disagree_with_the_definition():
    """Not those that merely disagree with the table of the thesis."""
    table = entries(("square_root", "agrees", "fails"), ("square_root", "disagrees", "holds"))
    (told,) = Found(FAMILIES, table, conditions()).table_surprises()
    assert told == "ntk, square root, layer 3, update: -0.50 instead of -0.25; a reason"


CELLS = [
    ("standard", "square_root", "eq. 2.18", "fails", "agrees"),
    ("standard", "equal", "eq. 2.18", "fails", "disagrees"),
    ("spectral", "square_root", "eq. 2.18", "fails", "agrees"),
    ("spectral", "square_root", "eq. 2.31", "fails", "undecided"),
    ("spectral", "equal", "eq. 2.31", "holds", "agrees"),
    ("dynamic", "square_root", "eq. 2.31", "holds", "agrees"),
    ("dynamic", "square_root", "eq. 2.40", "fails", "agrees"),
    ("dynamic", "equal", "eq. 2.40", "holds", "agrees"),
]


def of_cells(cells):
    return Found(FAMILIES, entries(("equal", *HOLDS)), conditions(*cells))


def test_cells_are_counted_by_their_verdicts():
    counts = of_cells(CELLS).condition_counts()
    assert counts == {"agrees": 6, "disagrees": 1, "undecided": 1, "all": 8}


def test_conditions_that_the_standard_parametrization_fails_are_not_quoted():
    assert of_cells(CELLS).failing_conditions() == [
        {
            "parametrization": "spectral",
            "conditions": "eq. 2.18 at square root; eq. 2.31 at square root",
        },
        {"parametrization": "dynamic", "conditions": "eq. 2.40 at square root"},
    ]
    both = [*CELLS, ("spectral", "constant_ratio", "eq. 2.18", "fails", "agrees")]
    told = of_cells(both).failing_conditions()[0]["conditions"]
    assert told == "eq. 2.18 at square root and constant ratio; eq. 2.31 at square root"


def test_conditions_fail_at_dynamic_ratios_only():
    """Whatever the standard parametrization does; and one that fails at a fixed ratio is enough."""
    assert of_cells(CELLS).fail_at_dynamic_ratios_only()
    for family in ("equal", "constant_ratio"):
        other = [*CELLS, ("mup", family, "eq. 2.18", "fails", "agrees")]
        assert not of_cells(other).fail_at_dynamic_ratios_only()
    assert not of_cells([cell for cell in CELLS if cell[0] == "standard"]).fail_at_dynamic_ratios_only()


@pytest.mark.parametrize(
    ("outcome", "equations", "so"),
    [
        ("holds", ["2.31"], True),
        ("fails", ["2.40"], True),
        ("holds", ["2.40"], False),
        ("holds", ["2.31", "2.40"], False),
        ("fails", ["2.18"], False),
    ],
)
def test_what_holds_for_dynamic_is_judged_at_dynamic_ratios(outcome, equations, so):
    assert of_cells(CELLS).dynamic_is(outcome, equations) is so
