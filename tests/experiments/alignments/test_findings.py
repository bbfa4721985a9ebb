import pytest

from dynparam.experiments.alignments.findings import Found
from dynparam.experiments.alignments.settings import for_comparison
from dynparam.support.tables import read_csv
from tests.findings_run import CONFIG, ROOT, slopes

WIDE = {name: read_csv(ROOT / "figures" / f"{name}.csv") for name in CONFIG.law.figures}


@pytest.fixture(scope="module")
def found():
    return Found(for_comparison(CONFIG), "figures", slopes(), WIDE)


def test_chance_of_the_largest_deviation(found):
    """1.5 standard errors: two-sided 13.4 %, of four curves at least one with 1 - 0.866^4 = 43.7 %."""
    largest = found.largest_deviation()
    assert largest["errors"] == 1.5
    assert largest["curves"] == 4
    assert largest["chance"] == pytest.approx(0.437, abs=0.001)


def test_claims_show_in_layers(found):
    assert found.slopes("fig3_2", "fig3_2_constant_ratio").visible == 5


def test_local_slopes_arrive_where_no_later_one_is_off(found):
    """In the tracked figure the last slope that is off lies at n = 6800; the next is at 14,700.

    At a constant ratio they arrive before, at 6800, beyond n_0 = 3072.
    """
    assert found.arrival(found.steep()) == pytest.approx(14_678, rel=1e-3)
    constant = found.constant_ratio()
    assert found.arrival([constant]) == pytest.approx(6813, rel=1e-3)
    assert found.bends(constant)


def test_local_slopes_need_not_arrive():
    elsewhere = {name: table.assign(value=9.0) for name, table in WIDE.items()}
    found = Found(for_comparison(CONFIG), "figures", slopes(), elsewhere)
    assert found.arrival(found.steep()) is None
    assert not found.bends(found.constant_ratio())


def test_exponents_are_judged_by_the_exact_ones(found):
    """All slopes agree with what the widths let expect, but three curves are off their exponents."""
    assert found.verdicts(["fig3_2", "fig3_3"])["agrees"] == 24
    assert found.exponents(["fig3_2", "fig3_3"])["agrees"] == 6
    assert found.exponents(["fig3_2_wide", "fig3_3_wide"])["agrees"] == 24
