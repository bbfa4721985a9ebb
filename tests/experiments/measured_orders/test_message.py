"""What Table 1.1 and the conditions say as figures: other verdicts, another sentence."""

import pandas as pd

from dynparam.experiments.measured_orders.message import conditions_message, table_message
from dynparam.experiments.measured_orders.table1_1 import QUANTITIES
from dynparam.theory.conditions import CONDITIONS
from tests.experiments.measured_orders.test_conditions_figure import SETTINGS


def entries(failing):
    """Ten entries of each quantity, of which the first so many fail."""
    claims = [
        "fails" if place < failing.get(quantity, 0) else "holds"
        for quantity in QUANTITIES
        for place in range(10)
    ]
    return pd.DataFrame({"quantity": [one for one in QUANTITIES for _ in range(10)], "claim": claims})


def test_entries_that_hold_are_counted_quantity_by_quantity():
    assert table_message(entries({"update": 4, "cosine": 10})) == (
        "Table 1.1 holds in 10 of 10 entries for sizes, 6 for updates, 10 for layers' own parts of "
        "them, and 0 for angles"
    )
    assert table_message(entries({})) == "Table 1.1 holds in all 40 entries"
    undecided = entries({}).replace("holds", "undecided")
    assert table_message(undecided).startswith("Table 1.1 holds in 0 of 10 entries for sizes")


def matrix(failing, settings=SETTINGS):
    """Every condition on every network; ``failing`` are (parametrization, family): how many."""
    rows = [
        (
            name,
            family,
            f"eq. {one.equation}",
            "fails" if place < failing.get((name, family), 0) else "holds",
        )
        for name in (*settings.parametrizations, "standard")
        for family in settings.families
        for place, one in enumerate(CONDITIONS)
    ]
    return pd.DataFrame(rows, columns=["parametrization", "family", "condition", "measured"])


def test_conditions_that_fail_are_counted_where_bottlenecks_sharpen():
    """The control fails anywhere, and is not counted."""
    table = matrix({("spectral", "square_root"): 8, ("standard", "constant_ratio"): 9})
    assert conditions_message(table, SETTINGS) == (
        f"As bottlenecks sharpen, 8 of {len(CONDITIONS)} conditions fail under spectral and 0 under "
        "dynamic; at fixed ratios none"
    )
    turned = matrix({("dynamic", "square_root"): 3, ("spectral", "constant_ratio"): 2})
    assert conditions_message(turned, SETTINGS) == (
        f"As bottlenecks sharpen, 0 of {len(CONDITIONS)} conditions fail under spectral and 3 under "
        "dynamic; at fixed ratios 2 cells fail"
    )


def test_a_condition_that_fails_along_two_families_counts_once():
    families = SETTINGS.families | {"fifth_root": SETTINGS.families["square_root"]}
    settings = SETTINGS.model_copy(update={"families": families})
    failing = {("spectral", "square_root"): 5, ("spectral", "fifth_root"): 6}
    assert "6 of 13 conditions fail under spectral" in conditions_message(
        matrix(failing, settings), settings
    )


def test_families_of_one_kind_are_told_alone():
    """Nothing is said of bottlenecks or of ratios that were not measured."""
    for kept, begins, lacks in (
        ("constant_ratio", "At fixed ratios none", "sharpen"),
        ("square_root", "As bottlenecks sharpen", "ratios"),
    ):
        table = matrix({})
        said = conditions_message(table[table["family"] == kept], SETTINGS)
        assert said.startswith(begins)
        assert lacks not in said
