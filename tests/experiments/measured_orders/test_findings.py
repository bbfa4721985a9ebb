"""What the findings say of Table 1.1 and of the conditions, from planted tables."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.measured_orders.findings import Found
from dynparam.settings.widths import NarrowWidth
from tests.planted import stage

FAMILIES = {
    "equal": NarrowWidth(coefficient=1, exponent=1),
    "constant_ratio": NarrowWidth(coefficient="1/5", exponent=1),
    "square_root": NarrowWidth(coefficient=6, exponent="1/2"),
}


def entries(*rows):
    """Entries of Table 1.1: (family, verdict, claim), those of dynamic's whole updates in layer 3."""
    return pd.DataFrame(
        {
            "parametrization": "dynamic",
            "family": family,
            "layer": 3,
            "quantity": "update",
            "claimed": -0.25,
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
    return pd.DataFrame(list(rows), columns=columns).assign(measured="holds", note="a reason")


HOLDS = ("agrees", "holds")


def test_entries_are_counted():
    table = entries(
        ("equal", "agrees", "holds"),
        ("equal", "undecided", "holds"),
        ("square_root", "agrees", "fails"),
        ("square_root", "disagrees", "undecided"),
        ("square_root", "agrees", "holds"),
    )
    own = entries(("equal", "agrees", "fails")).assign(quantity="own")
    counts = Found(FAMILIES, pd.concat([table, own]), conditions()).table_counts()
    assert {row["what"]: (row["all"], row["agrees"], row["holds"]) for row in counts} == {
        "preactivation": (0, 0, 0),
        "own part of the update": (1, 1, 0),
        "whole update": (5, 3, 3),
        "cosine of the angle": (0, 0, 0),
    }


@pytest.fixture
def planted(planted_table):
    """The table as it comes out where every exponent is the definition's; a copy for each test."""
    return planted_table.astype({"verdict": str, "claim": str})


def of_entries(table):
    return Found(stage().exponents.families, table, conditions())


def with_changed(table, column, value, **where):
    """The table with another value in the rows where columns have these values."""
    changed = table.copy()
    rows = np.logical_and.reduce([table[name] == one for name, one in where.items()])
    assert rows.any()
    changed.loc[rows, column] = value
    return changed


def test_the_exponents_at_the_first_dynamic_ratio(planted):
    shown = of_entries(planted).sharpening()
    assert shown["rule"] == "6 n^(1/2)"
    assert shown["claimed"] == "-1/4, 0, -1/4, 0, -1/4"
    own, update = ([float(part) for part in shown[key].split(", ")] for key in ("own", "whole"))
    assert own == pytest.approx([-0.25, 0, -0.25, 0, -0.25], abs=0.02)
    assert update == pytest.approx([-0.25, 0, 0, 0, 0], abs=0.02)
    assert shown["cosine_exact"] == "-1/4"
    assert shown["names"] == "ntk, mup, spectral, and dynamic"


def test_what_is_said_of_own_parts_and_whole_updates(planted):
    """So on the planted table; not so if one own part fails, or if every whole update holds."""
    assert of_entries(planted).own_part_is_the_tables()
    own = with_changed(planted, "claim", "undecided", parametrization="dynamic", quantity="own", layer=5)
    assert not of_entries(own).own_part_is_the_tables()
    whole = with_changed(planted, "claim", "holds", parametrization="dynamic", quantity="update")
    assert not of_entries(whole).own_part_is_the_tables()
    others = with_changed(planted, "claim", "fails", parametrization="spectral", quantity="own")
    assert of_entries(others).own_part_is_the_tables()


def test_which_layers_turn_lazy(planted):
    assert of_entries(planted).only_the_first_layers_turn_lazy()
    row = {"parametrization": "dynamic", "quantity": "update", "family": "square_root"}
    for change in (
        ("exact", -0.25, {"layer": 5}),
        ("exact", 0.0, {"layer": 1}),
        ("verdict", "undecided", {}),
    ):
        column, value, where = change
        changed = with_changed(planted, column, value, **row, **where)
        assert not of_entries(changed).only_the_first_layers_turn_lazy()


def test_whether_the_angle_is_one_for_all(planted):
    assert of_entries(planted).cosine_is_one_for_all()
    row = {"parametrization": "ntk", "quantity": "cosine", "family": "fifth_root", "layer": 3}
    assert not of_entries(with_changed(planted, "exact", -0.2, **row)).cosine_is_one_for_all()
    undecided = with_changed(planted, "verdict", "undecided", **row)
    assert not of_entries(undecided).cosine_is_one_for_all()


def test_surprises_are_the_entries_that_disagree_with_the_definition():
    """Not those that merely disagree with the table of the thesis."""
    table = entries(("square_root", "agrees", "fails"), ("square_root", "disagrees", "holds"))
    (told,) = Found(FAMILIES, table, conditions()).table_surprises()
    assert told == "dynamic, square root, layer 3, update: -0.50 instead of -0.25; a reason"


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
            "conditions": "2.18 and 2.31 at square root",
        },
        {"parametrization": "dynamic", "conditions": "2.40 at square root"},
    ]
    both = [*CELLS, ("spectral", "constant_ratio", "eq. 2.18", "fails", "agrees")]
    told = of_cells(both).failing_conditions()[0]["conditions"]
    assert sorted(told.split("; ")) == ["2.18 at square root and constant ratio", "2.31 at square root"]


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


def test_the_assumption_is_judged_by_the_measurement_and_without_the_control():
    cells = conditions(
        ("mup", "equal", "eq. 2.58", "fails", "disagrees"),
        ("standard", "equal", "eq. 2.58", "fails", "agrees"),
        ("mup", "equal", "eq. 2.40", "fails", "agrees"),
    )
    cells.loc[1:, "measured"] = "fails"
    assert Found(FAMILIES, entries(("equal", *HOLDS)), cells).assumption_holds()
    cells.loc[0, "measured"] = "undecided"
    assert not Found(FAMILIES, entries(("equal", *HOLDS)), cells).assumption_holds()


def test_cells_that_contradict_theory_are_told_but_for_the_controls():
    cells = [*CELLS, ("mup", "square_root", "eq. 2.58", "fails", "disagrees")]
    assert of_cells(cells).condition_surprises() == ["mup at square root, eq. 2.58: a reason"]
