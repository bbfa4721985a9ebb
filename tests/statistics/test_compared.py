"""Rows of means: their intervals are Student's, and rows of one kind lend each other their variances."""

import numpy as np
import pytest
from scipy import stats

from dynparam.statistics.compared import Asked, Compared, judged, level_of
from dynparam.statistics.judged import CLAIM, SHOWN, below

BELOW = Asked(CLAIM, 0.0, below(0.0), "told")


def row(values, kind="one", level=1.0, asked=BELOW, setting="here"):
    return Compared("part", "loss", setting, np.array(values, float), level, kind, asked)


def test_alone_the_interval_is_students():
    table = judged([row([-1.0, -2.0, -4.0])], 0.95)
    low, high = stats.t.interval(0.95, 2, loc=-7 / 3, scale=stats.sem([-1.0, -2.0, -4.0]))
    (found,) = table.to_dict("records")
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high))
    assert found["note"] == "told"
    assert found["verdict"] == "undecided"


def test_runs_that_diverged_are_left_out():
    (found,) = judged([row([-1.0, np.nan, -2.0, np.inf])], 0.95).to_dict("records")
    assert found["measured"] == -1.5
    (empty,) = judged([row([-1.0, np.nan])], 0.95).to_dict("records")
    assert np.isnan(empty["measured"])
    assert empty["verdict"] == "undecided"


def test_luck_is_moderated_by_rows_of_the_kind():
    """Three values that agree by luck get the variance of other rows; of another kind they do not."""
    generator = np.random.default_rng(0)
    others = [row(generator.normal(-1.0, 0.5, 3), setting=str(k)) for k in range(12)]
    lucky = row([-1.0, -1.0001, -0.9999], setting="lucky")
    alone = row([-1.0, -1.0001, -0.9999], kind="two", setting="alone")
    table = judged([*others, lucky, alone], 0.95).set_index("setting")
    widths = table["ci_high"] - table["ci_low"]
    assert widths["lucky"] > 50 * widths["alone"]


def test_what_is_shown_has_no_verdict():
    (found,) = judged([row([1.0, 2.0], asked=Asked(SHOWN))], 0.95).to_dict("records")
    assert found["verdict"] == ""


def test_the_level_is_that_of_runs_that_did_not_diverge():
    assert level_of(np.array([1.0, np.nan, 3.0])) == 2.0
    assert np.isnan(level_of(np.array([np.nan])))
