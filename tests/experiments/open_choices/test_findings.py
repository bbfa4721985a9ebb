from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.open_choices.findings import Found
from dynparam.experiments.open_choices.settings import for_open_choices
from dynparam.trials.settings import ASYMPTOTIC
from tests.open_choices import CONFIG, OPEN_CHOICES, invented_trained

TRAINED = invented_trained()
SHOWS, NOT, UNDECIDED = "shows", "does not show", "undecided"


def changes(*rows):
    """Rows of the table of changes: (alternative, change, shows_by_default, shows)."""
    columns = ["alternative", "change", "shows_by_default", "shows"]
    same = {
        "curve": "c",
        "exponent": 0.0,
        "default": 0.3,
        "slope": 0.1,
        "at_exponent_by_default": "disagrees",
        "at_exponent": "agrees",
    }
    return pd.DataFrame(list(rows), columns=columns).assign(**same)


def found(*rows):
    return Found(for_open_choices(CONFIG), changes(*rows), TRAINED).open_choices()


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
    moving = found(("a", 0.1, SHOWS, SHOWS), ("b", 0.1, default, chosen))["moving"]
    assert [(one["name"], one["moved"]) for one in moving] == [("b", 1)] * moved


def test_slopes_that_move_are_counted_one_by_one_and_alternatives_once():
    rows = [("a", 0.1, SHOWS, NOT), ("a", 0.1, NOT, SHOWS), ("a", 0.3, NOT, NOT), ("b", 0.1, NOT, NOT)]
    known = found(*rows)
    assert (known["alternatives"], known["others"], known["names"]) == (2, 1, ["`a`"])
    (one,) = known["moving"]
    assert (one["moved"], one["slopes"], one["at_exponent"], one["by_default"]) == (2, 3, 3, 0)
    assert one["curves"] == [{"curve": "c", "exponent": 0.0, "default": [0.3] * 3, "slopes": [0.1] * 3}]
    assert not one["asymptotic"]
    assert known["largest"]["alternative"] == "b", "that of the others"
    assert found(rows[0])["largest"] is None


def test_the_asymptotic_reading_is_known_by_its_name():
    """It is the alternative that overlays ``probe.first_layer``, and the only one."""
    assert found((ASYMPTOTIC, 0.1, NOT, SHOWS))["moving"][0]["asymptotic"]
    overlays = {one.name: one.overlay for one in OPEN_CHOICES.alternatives()}
    assert overlays[ASYMPTOTIC] == {"probe": {"first_layer": "asymptotic"}}


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_change_may_be_of_either_sign(sign):
    """A row's place in the table is not its label."""
    rows = [
        ("a", 0.1 * sign, SHOWS, SHOWS),
        ("b", -0.3 * sign, SHOWS, SHOWS),
        ("c", 0.2 * sign, NOT, NOT),
    ]
    largest = found(*rows)["largest"]
    assert (largest["alternative"], largest["change"]) == ("b", -0.3 * sign)
    table = changes(*rows).set_index(pd.Index([7, 0, 1]))
    largest = Found(for_open_choices(CONFIG), table, TRAINED).open_choices()["largest"]
    assert largest["alternative"] == "b"


def test_exponents_compared_differ_by_those_of_the_thesis():
    """Fig. 3.2: -1 against 0; Fig. 3.3: -8/5 against 0."""
    found = Found(for_open_choices(CONFIG), changes(), TRAINED)
    assert found.differences() == [1, Fraction(8, 5)]


@pytest.mark.parametrize(
    ("panels", "differences"),
    [
        ([["fig3_2_dynamic_ratio"]], []),
        ([["fig3_2_constant_ratio", "fig3_3_dynamic"]], []),
        ([["fig3_2_dynamic_ratio", "fig3_2_constant_ratio"]] * 2, [1]),
        ([["fig3_3_dynamic", "fig3_3_spectral", "fig3_2_dynamic_ratio"]], [Fraction(8, 5)]),
        ([], []),
    ],
)
def test_equal_exponents_do_not_differ_and_a_difference_is_told_once(panels, differences):
    """Of curves in one figure, whatever their order: the largest exponent less the least."""
    settings = for_open_choices(CONFIG)
    shown = {f"fig{place}": curves for place, curves in enumerate(panels)}
    chosen = settings.model_copy(update={"panels": shown})
    assert Found(chosen, changes(), invented_trained()).differences() == differences


def on_curves(trained):
    return Found(for_open_choices(CONFIG), changes(), trained).on_curves()


def test_conclusions_on_training_are_counted_without_the_control():
    trained = invented_trained({"dampened": {"train_loss": 0.2, "test_accuracy": 0.1}})
    trained.loc[trained["alternative"] == "primal", "conclusion"] = "undecided"
    known = on_curves(trained)
    assert (known["alternatives"], known["conclusions"]) == (13, 39)
    assert (known["same"], known["undecided"], len(known["changed"])) == (34, 3, 2)
    assert known["names"] == ["`dampened`"]
    assert (known["controls"], known["found"]) == (1, 1)
    first = known["changed"][0]
    row = trained[trained["alternative"] == "dampened"].iloc[0]
    assert (first["name"], first["endpoint"]) == ("dampened", "training loss, mean over epochs")
    assert first["there"] == {
        "metric": "train_loss area",
        "value": row["difference"],
        "ci_low": row["ci_low"],
        "ci_high": row["ci_high"],
    }
    assert first["by_default"]["value"] == row["default"]


def test_a_control_that_is_not_found_is_counted():
    trained = invented_trained()
    trained.loc[trained["role"] == "control", "conclusion"] = "same"
    known = on_curves(trained)
    assert (known["controls"], known["found"], known["changed"]) == (1, 0, [])


@pytest.mark.parametrize("conclusion", ["same", "undecided", "changed"])
def test_what_becomes_of_a_control_counts_among_no_choices(conclusion):
    trained = invented_trained()
    trained.loc[trained["alternative"] == "primal", "conclusion"] = ["undecided", "changed", "same"]
    trained.loc[trained["role"] == "control", "conclusion"] = conclusion
    known = on_curves(trained)
    assert (known["conclusions"], known["same"], known["undecided"]) == (39, 37, 1)
    assert (known["names"], len(known["changed"])) == (["`primal`"], 1)
    assert (known["controls"], known["found"]) == (1, int(conclusion == "changed"))


def test_a_changed_conclusion_has_the_numbers_of_its_own_row():
    """Each row has numbers that no other has."""
    trained = invented_trained()
    numbers = ["default", "default_low", "default_high", "difference", "ci_low", "ci_high"]
    for place, column in enumerate(numbers):
        trained[column] = np.arange(len(trained)) + 1000.0 * place
    trained["change"] = -1.0
    trained.loc[trained["alternative"].isin(["primal", "dampened"]), "conclusion"] = "changed"
    told = on_curves(trained)["changed"]
    rows = trained[trained["alternative"].isin(["primal", "dampened"])]
    assert len(told) == len(rows) == 6
    for one, row in zip(told, rows.to_dict("records"), strict=True):
        assert one["name"] == row["alternative"]
        for key, columns in (("by_default", numbers[:3]), ("there", numbers[3:])):
            found = [one[key][name] for name in ("value", "ci_low", "ci_high")]
            assert found == [row[name] for name in columns]
            assert one[key]["metric"] == row["endpoint"]


def test_an_alternative_that_moves_is_told_with_its_own_slopes():
    """Two curves, of which each slope, default and exponent is another number."""
    columns = [
        "alternative",
        "curve",
        "exponent",
        "default",
        "slope",
        "at_exponent_by_default",
        "at_exponent",
    ]
    rows = [
        ("a", "c", -1.0, 0.1, 0.2, "agrees", "disagrees"),
        ("b", "c", -1.0, 0.1, 0.3, "agrees", "agrees"),
        ("a", "d", -2.0, 0.4, 0.5, "disagrees", "agrees"),
        ("a", "d", -2.0, 0.6, 0.7, "undecided", "agrees"),
    ]
    table = pd.DataFrame(rows, columns=columns).assign(change=0.1, shows_by_default=SHOWS, shows=SHOWS)
    table.loc[2, "shows"] = NOT
    (one,) = Found(for_open_choices(CONFIG), table, TRAINED).open_choices()["moving"]
    assert (one["name"], one["moved"], one["slopes"]) == ("a", 1, 3)
    assert (one["at_exponent"], one["by_default"]) == (2, 1)
    assert one["curves"] == [
        {"curve": "c", "exponent": -1.0, "default": [0.1], "slopes": [0.2]},
        {"curve": "d", "exponent": -2.0, "default": [0.4, 0.6], "slopes": [0.5, 0.7]},
    ]
