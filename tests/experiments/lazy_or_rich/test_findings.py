"""What the findings say of lazy and rich training, from planted tables."""

import pytest

from dynparam.experiments.lazy_or_rich.findings import Found
from dynparam.experiments.lazy_or_rich.judge import judged
from dynparam.theory.laziness import laziness_index
from dynparam.theory.parametrization import layer_scales
from tests.lazy import laziness_stage, planted

SETTINGS = laziness_stage(linearization__trials=4, kernel_change__trials=4)
VERDICTS = judged(planted(SETTINGS), SETTINGS)


def found(where="", verdict=""):
    """Of the planted verdicts, those of some rows turned."""
    table = VERDICTS.copy()
    if where:
        table.loc[table.query(where).index, "verdict"] = verdict
    return Found(SETTINGS.lazy_or_rich, table)


def test_rows_are_found_by_their_beginning_and_setting_without_controls():
    rows = found().rows("laziness index", "exponent of n in the narrowest layer", "in law")
    assert [row["of"] for row in rows] == ["ntk", "mup", "spectral", "dynamic", "standard"] * 2
    assert all(row["setting"].endswith("in law") for row in rows)
    kernel = found().rows("kernel change", "exponent of n_min")
    assert [row["of"] for row in kernel][:3] == ["dynamic, r = 0", "dynamic, r = 1/2", "mup"]
    assert len(kernel) == 3 + 2
    assert len(found().rows("linearization")) == 4


def test_linearization_rests_on_decided_rows_and_on_its_control():
    """An undecided row is not enough for a sentence; nor is ntk alone, if dynamic does the same."""
    assert found().linear_under_ntk_alone()
    here = "quantity.str.startswith('exponent of n in |f')"
    for verdict in ("fails", "undecided"):
        assert not found(f"{here} and role == 'claim'", verdict).linear_under_ntk_alone()
    assert not found(f"{here} and role == 'control'", "undecided").linear_under_ntk_alone()
    assert found("quantity.str.contains('kernel change')", "disagrees").linear_under_ntk_alone()


def test_kernels_move_as_theory_says_unless_a_row_is_refuted():
    here = "experiment == 'kernel change'"
    assert found(f"{here} and role == 'claim'", "undecided").kernels_move_as_theory_says()
    assert not found(f"{here} and role == 'claim'", "disagrees").kernels_move_as_theory_says()
    assert found("experiment != 'kernel change'", "fails").kernels_move_as_theory_says()


def test_the_index_rests_on_the_rows_that_are_shown():
    assert found().index_is_known()
    here = "experiment == 'laziness index' and quantity.str.startswith('exponent')"
    for verdict in ("disagrees", "undecided"):
        assert not found(f"{here} and setting.str.contains('in law')", verdict).index_is_known()
        assert found(f"{here} and setting.str.contains('dense')", verdict).index_is_known()


def test_identities_are_told_apart_and_by_the_largest_difference():
    for what, largest in (("kernels", 1e-15), ("outputs", 2e-15)):
        assert found().identity(what) == {"largest": largest, "agree": True}
    apart = found("quantity.str.contains('kernels of')", "disagrees")
    assert not apart.identity("kernels")["agree"]
    assert apart.identity("outputs")["agree"]


def test_spectral_at_the_sharpening_bottleneck():
    told = found().spectral()
    assert (told["rule"], told["n"]) == ("2 n^(1/2)", (64, 1024))
    for n, value in zip(told["n"], told["index"], strict=True):
        widths = SETTINGS.lazy_or_rich.network("sharpening", n, ("wide", "narrow", "wide"))
        index = laziness_index(widths, layer_scales("spectral", widths), 12.0)
        assert value == index[1]
    assert told["index"][1] > told["index"][0]


def test_the_limit_of_many_steps_counts_as_much_as_the_steps_that_were_taken():
    for column in ("f_lin", "eq. 1.8"):
        here = f"quantity.str.contains('{column}', regex=False)"
        assert not found(f"{here} and role == 'claim'", "fails").linear_under_ntk_alone()
        assert not found(f"{here} and role == 'control'", "undecided").linear_under_ntk_alone()


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("what", ["kernels", "outputs"])
def test_the_largest_difference_may_stand_in_any_row(what, place):
    settings = laziness_stage(identities__r=["1/5", "1/3"], identities__momenta=[0])
    table = judged(planted(settings), settings)
    rows = table[table["quantity"].str.contains(f"{what} of") & (table["role"] == "claim")].index
    assert len(rows) == 2
    table.loc[rows[place], "measured"] = 7e-14
    assert Found(settings.lazy_or_rich, table).identity(what)["largest"] == 7e-14


def test_kernels_move_otherwise_where_one_row_is_refuted():
    (row, *_) = found().rows("kernel change")
    assert not found(f"quantity == '{row['quantity']}'", "disagrees").kernels_move_as_theory_says()
