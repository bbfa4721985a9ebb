"""What the findings say of best rates, from planted curves."""

import pytest

from dynparam.experiments.best_rate.findings import Found
from dynparam.statistics.judged import CLAIM
from tests import arms
from tests.thesis import CONFIG

TABLE, BEST = arms.rate_verdicts(), arms.best_rates()


def found(table=TABLE, best=BEST):
    return Found(CONFIG.best_rate, table, best)


def test_sides_are_counted():
    count = len(found().settings_of())
    assert found().side("best", "speed") == {"better": count, "worse": 0, "undecided": 0, "all": count}
    assert found().side("best", "test_loss")["worse"] == count
    table = TABLE.assign(verdict=TABLE["verdict"].where(TABLE["role"] != CLAIM, "undecided"))
    assert found(table).side("best", "speed")["undecided"] == count
    assert not found(table).holds("more", "speed")
    assert found().holds("more", "speed")


def test_differences_are_read_with_their_intervals():
    setting = found().settings_of()[0]
    text = found().difference("best", "test_loss", setting)
    assert text.startswith("+0.01")
    assert "[" in text
    assert found().difference("best", "test_loss", "nowhere") == "-"


def test_rates_and_their_ratio_to_the_thesis_s():
    setting = found().settings_of()[0]
    assert found().rate("dynamic", setting)["best_rate"] == pytest.approx(0.4)
    assert found().ratio("spectral") == pytest.approx((2.0, 2.0))
    assert found().ratio("dynamic") == pytest.approx((0.25, 0.25))


def test_a_best_rate_at_the_edge_is_told():
    best = BEST.assign(edge=[None] * len(BEST))
    assert found(best=best).at_edge() == []
    best.loc[best.index[0], "edge"] = "largest"
    (row,) = found(best=best).at_edge()
    assert row["scheme"] == best.loc[best.index[0], "scheme"]
