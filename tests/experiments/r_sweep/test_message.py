"""What the figure of the r-sweep says: other edges, another sentence."""

import pandas as pd
import pytest

from dynparam.experiments.r_sweep.message import sweep_message

ALL = "Drift grows once updates pass the root of n_min, whichever width they are a power of"


def said(drift, growth):
    rows = [("drift", one) for one in drift] + [("growth", one) for one in growth]
    return sweep_message(pd.DataFrame(rows, columns=["statistic", "verdict"]), 20).split("; ")


@pytest.mark.parametrize(
    ("verdicts", "clause"),
    [
        (["agrees"] * 3, ALL),
        (["disagrees"] * 3, "Drift does not start to grow where updates pass the root of n_min"),
        (
            ["agrees", "disagrees", "undecided"],
            "Drift grows once updates pass the root of n_min for 1 of 3 widths that they are a power "
            "of, 1 undecided",
        ),
    ],
)
def test_edges_of_the_drift(verdicts, clause):
    assert said(verdicts, ["agrees"]) == [clause, "so do gradients in 20 steps"]


@pytest.mark.parametrize(
    ("verdicts", "clause"),
    [
        (["agrees", "agrees"], "so do gradients in 20 steps"),
        (["agrees", "undecided"], "whether gradients do in 20 steps is undecided"),
        (["agrees", "disagrees"], "gradients in 20 steps do not"),
    ],
)
def test_edges_of_growth(verdicts, clause):
    assert said(["agrees"], verdicts) == [ALL, clause]
