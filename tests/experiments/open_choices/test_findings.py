from fractions import Fraction

from dynparam.experiments.open_choices.findings import Found
from dynparam.experiments.open_choices.settings import for_open_choices
from dynparam.support.tables import read_csv
from tests.findings_run import CONFIG, ROOT

CHANGES = read_csv(ROOT / "figures" / "open_choices.csv")


def found(changes=CHANGES):
    return Found(CONFIG.network, for_open_choices(CONFIG), changes)


def test_a_slope_that_changes_sides_is_counted():
    assert found().open_choices()["moved"] == 0
    changed = CHANGES.copy()
    row = changed.index[changed["shows_by_default"] == "shows"][0]
    changed.loc[row, "shows"] = "does not show"
    assert found(changed).open_choices()["moved"] == 1


def test_exponents_compared_differ_by_those_of_the_thesis():
    """Fig. 3.2: -1 against 0; Fig. 3.3: -8/5 against 0."""
    assert found().differences() == [1, Fraction(8, 5)]
