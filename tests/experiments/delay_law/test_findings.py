"""What the findings say of delays, from planted ones."""

import pytest

from dynparam.experiments.delay_law.findings import Found
from dynparam.experiments.delay_law.judge import EXPONENT, GROWTH, INCREMENTS, RATIO, VARIANT
from dynparam.report.findings import sentences
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import delays

TABLE = delays.verdicts()


def found(table=TABLE):
    return Found(delays.block(), table)


def changed(verdict, quantity, role=CLAIM, setting=""):
    table = TABLE.copy()
    here = (table["quantity"] == quantity) & (table["role"] == role)
    here &= table["setting"].str.contains(setting, regex=False)
    assert here.any()
    table.loc[here, "verdict"] = verdict
    return table


def text(table=TABLE, name="findings.md.j2"):
    numbers = iter(range(1, 100))
    return sentences("dynparam.experiments.delay_law", name).render(
        found=found(table), settings=delays.CONFIG, number=lambda: next(numbers)
    )


@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_the_law_holds_if_all_of_it_does(verdict):
    assert found().law_holds()
    assert not found(changed(verdict, EXPONENT, setting="B = 3")).law_holds()
    assert not found(changed("undecided", EXPONENT, CONTROL)).law_holds()
    assert found(changed(verdict, RATIO)).law_holds()


def test_increments_are_told_apart():
    assert found().increments_equal()
    assert found().increments()[0]["measured"] == pytest.approx(1.0, abs=0.1)
    table = changed("undecided", INCREMENTS)
    assert not found(table).increments_equal()
    assert found(table).law_holds()
    assert text(table).count("not so in this run") == 1


def test_delays_near_theory_are_asked_for_apart():
    assert found().near_theory()
    assert not found(changed("disagrees", RATIO, setting="B = 2, R = 100, n_min = 50")).near_theory()


def test_series_are_told_by_their_number_of_bottlenecks():
    rows = found().series()
    assert [row["bottlenecks"] for row in rows] == [1, 2, 3]
    assert rows[1]["measured"] == pytest.approx(0.5, abs=0.06)
    ratios = found().ratios()
    assert [row["bottlenecks"] for row in ratios] == [1, 2, 3]
    assert all(0.9 < row["low"] < row["high"] < 1.1 for row in ratios)


def test_families_are_told_by_kind_and_parametrization():
    row = found().delays("square_root", "dynamic")
    assert row["measured"] == pytest.approx(0.0, abs=0.05)
    assert found().delays("square_root", "none") is None


def test_only_spectral_waits_or_not():
    assert found().only_spectral_waits()
    assert not found(changed("undecided", GROWTH, setting="mup")).only_spectral_waits()
    grows = f"{GROWTH}: grows"
    assert not found(changed("fails", grows, setting="spectral")).only_spectral_waits()


def test_variants_are_alike_or_not():
    assert found().variants_alike()
    assert not found(changed("undecided", VARIANT, setting="momentum")).variants_alike()


def test_narrow_layers_are_told_by_their_width():
    assert [row["n_min"] for row in found().narrow()] == [12, 25, 50, 100, 200]


def test_sentences_are_marked_where_they_are_not_so():
    whole = text()
    assert "not so in this run" not in whole
    assert "| 2 | 316 to 3162 | 0.5" in whole
    assert text(changed("fails", EXPONENT, setting="B = 1")).count("not so in this run") == 1
    assert text(changed("disagrees", GROWTH, setting="ntk")).count("not so in this run") == 1
    japanese = text(name="findings.ja.md.j2")
    assert "成り立たない" not in japanese
    bad = changed("fails", EXPONENT, setting="B = 1")
    assert "成り立たない" in text(bad, "findings.ja.md.j2")
