"""Verdicts on planted delays."""

import numpy as np
import pytest

from dynparam.experiments.delay_law.judge import (
    EXPONENT,
    FALLS,
    GROWTH,
    INCREMENT,
    INCREMENTS,
    LOCAL,
    RATIO,
    VARIANT,
    difference,
    exponent,
    halves,
    increment,
    judged,
    quotient,
    spectral_exponent,
)
from dynparam.statistics.estimates import student
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.delay import delay
from tests import delays

OWN = delays.block()

STAGE = delays.stage()


def verdicts(table, quantity, role=CLAIM, setting=""):
    rows = table[(table["quantity"] == quantity) & (table["role"] == role)]
    return rows.loc[rows["setting"].str.contains(setting, regex=False), "verdict"].tolist()


def test_what_is_as_theory_has_it_agrees_and_controls_do_not():
    table = delays.verdicts()
    assert set(table.loc[table["role"] == CLAIM, "verdict"]) <= set(RIGHT)
    controls = table[table["role"] == CONTROL]
    assert set(controls["verdict"]) <= set(WRONG)
    # One bottleneck as a power; two and three as a logarithm and as one less; dynamic in two families.
    assert len(controls) == 1 + 2 * 2 + 2


def test_a_delay_that_is_not_theorys_is_seen():
    table = judged(delays.planted(OWN, off=1.4), STAGE)
    assert set(verdicts(table, RATIO)) == {"disagrees"}
    assert set(verdicts(table, EXPONENT)) <= set(RIGHT)


def test_two_bottlenecks_that_wait_as_one_make_no_table():
    """The control that holds them against a logarithm agrees then."""
    with pytest.raises(DataError, match="as if it were log R"):
        judged(delays.planted(OWN, scatter=0.005, law={2: 1}), STAGE)


def test_one_bottleneck_that_waits_as_two_makes_no_table():
    with pytest.raises(DataError, match="that of two bottlenecks"):
        judged(delays.planted(OWN, law={1: 2}), STAGE)


def test_one_bottleneck_that_waits_as_three_has_no_claim_that_holds():
    table = judged(delays.planted(OWN, law={1: 3}), STAGE)
    assert verdicts(table, EXPONENT, setting="B = 1") == ["fails"]
    assert verdicts(table, INCREMENTS, setting="B = 1") == ["disagrees"]
    assert verdicts(table, INCREMENT, setting="B = 1") == ["disagrees"]


def test_three_bottlenecks_that_wait_as_two_make_no_table():
    with pytest.raises(DataError, match="as if there were one bottleneck less"):
        judged(delays.planted(OWN, law={3: 2}), STAGE)


def test_an_exponent_that_rises_is_none_of_a_logarithm():
    table = judged(delays.planted(OWN, law={1: 4}), STAGE)
    assert verdicts(table, FALLS, setting="B = 1") != ["holds"]


def test_few_networks_leave_it_undecided():
    own = delays.stage(trials=2)
    table = judged(delays.planted(own.delay_law, scatter=0.2), own)
    assert "undecided" in verdicts(table, EXPONENT)


def test_dynamic_that_waits_as_spectral_makes_no_table():
    waiting = spectral_exponent(OWN, OWN.families.families["square_root"])
    with pytest.raises(DataError, match="as if it waited as spectral does"):
        judged(delays.planted(OWN, dynamic=waiting), STAGE)


def test_growth_under_others_is_seen():
    table = judged(delays.planted(OWN, mup=0.3), STAGE)
    assert set(verdicts(table, GROWTH, setting="mup")) == {"fails"}
    assert set(verdicts(table, GROWTH, setting="ntk")) == {"holds"}


def test_a_delay_that_falls_does_not_grow():
    table = judged(delays.planted(OWN, mup=-0.3), STAGE)
    assert set(verdicts(table, GROWTH, setting="mup")) == {"holds"}


def test_spectral_that_does_not_wait_is_seen():
    table = judged(delays.planted(OWN, spectral=0.0), STAGE)
    assert verdicts(table, GROWTH, setting="spectral, constant ratio") == ["agrees"]
    assert verdicts(table, GROWTH, setting="spectral, square root") == ["disagrees"]
    assert verdicts(table, f"{GROWTH}: grows", setting="spectral, square root") != ["holds"]


def test_spectral_waits_where_the_bottleneck_sharpens():
    families = OWN.families.families
    assert spectral_exponent(OWN, families["constant_ratio"]) == pytest.approx(0.0, abs=0.01)
    family = families["square_root"]
    ends = [delay(n / round(6 * n**0.5), 2, OWN.learning_rate) for n in (1000, 316228)]
    between = np.log(ends[1] / ends[0]) / np.log(316.228)
    assert spectral_exponent(OWN, family) == pytest.approx(between, abs=0.03)


def test_several_images_are_judged_by_their_exponent_alone():
    table = delays.verdicts()
    rows = table[(table["experiment"] == "variants") & table["setting"].str.startswith("images")]
    assert set(rows.loc[rows["quantity"] == RATIO, "role"]) == {SHOWN}
    assert set(rows.loc[rows["quantity"] == VARIANT, "role"]) == {CLAIM}
    assert set(rows.loc[rows["role"] == CLAIM, "note"]) == {"theory's is of one image"}


def test_only_the_widest_narrow_layers_are_judged():
    table = delays.verdicts()
    rows = table[table["experiment"] == "narrow layers"]
    assert rows["role"].tolist() == [*["shown"] * (len(OWN.narrow_layers.n_min) - 1), "claim"]


def test_local_exponents_stand_beside_theorys():
    table = delays.verdicts()
    rows = table[table["quantity"] == LOCAL]
    assert len(rows) == sum(len(one.ratios) - 1 for one in OWN.series)
    assert (rows["measured"] - rows["expected"]).abs().max() < 0.06


def test_halves_share_no_ratio():
    found = halves(dict.fromkeys((1, 2, 3, 4, 5), np.ones(2)))
    assert list(found.blunter) == [1, 2]
    assert list(found.sharper) == [3, 4, 5]


def test_estimates_are_those_of_exact_laws():
    ratios = (10, 100, 1000)
    ones = np.array([1.0, 1.0])
    power = {ratio: 3 * ratio**0.5 * ones for ratio in ratios}
    assert exponent(power, 0.95).value == pytest.approx(0.5)
    line = {ratio: (2 + 0.25 * np.log(ratio)) * ones for ratio in ratios}
    assert increment(line, 0.95).value == pytest.approx(0.25)


def test_errors_are_those_of_simulation():
    """Spread of 300 increments and quotients over the error claimed of them: within 4 errors, 16 %."""
    random = np.random.default_rng(0)
    found, errors, quotients, claimed = [], [], [], []
    for _ in range(300):
        drawn = {ratio: random.normal(value, 0.5, 8) for ratio, value in ((10, 4), (40, 8), (160, 12))}
        one = increment(drawn, 0.95)
        other = student(random.normal(5, 0.2), 0.2, 20, 0.95)
        both = quotient(one, other, 0.95)
        found.append(one.value)
        errors.append(one.standard_error)
        quotients.append(both.value)
        claimed.append(both.standard_error)
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.16)
    assert np.std(quotients) == pytest.approx(np.mean(claimed), rel=0.16)


def test_a_difference_has_both_errors():
    first, second = student(3.0, 0.3, 9, 0.95), student(1.0, 0.4, 5, 0.95)
    found = difference(first, second, 0.95)
    assert (found.value, found.degrees_of_freedom) == (2.0, 5)
    assert found.standard_error == pytest.approx(0.5)


def test_the_table_is_of_its_form(tmp_path):
    write_csv(delays.verdicts(), tmp_path / "verdicts.csv")
    table = read_csv(tmp_path / "verdicts.csv", FORM)
    assert np.isfinite(table["measured"]).all()
