"""What a terminal is told of slopes: every number as it is, and what the thesis claims of them."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.alignments.at_once import Figure, as_text
from dynparam.experiments.alignments.comparison import COLUMNS
from dynparam.experiments.alignments.settings import CurvesStage
from dynparam.settings.base import pick

ROOT = Path(__file__).parents[3]
SETTINGS = pick(CurvesStage, load(Config, [ROOT / "config" / "thesis.yaml"]))


def slopes(curve, intervals, *, asymptotic=0.0, expected=0.0, verdict="agrees"):
    """A table as ``make`` leaves it, of a layer for each interval."""
    rows = [
        {
            "figure": "fig3_3",
            "curve": curve,
            "layer": layer,
            "asymptotic": asymptotic,
            "expected": expected,
            "slope": (low + high) / 2,
            "ci_low": low,
            "ci_high": high,
            "verdict": verdict,
        }
        for layer, (low, high) in enumerate(intervals, 1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@pytest.mark.parametrize(
    ("curve", "intervals", "claim"),
    [
        ("fig3_3_spectral", [(-1.5, -1.3), (-0.2, -0.01)], "decreasing in n. That shows in 2 of 2"),
        ("fig3_3_spectral", [(-1.5, -1.3), (-0.2, 0.01)], "decreasing in n. That shows in 1 of 2"),
        ("fig3_3_spectral", [(0.1, 0.2), (-0.2, 0.01)], "decreasing in n. That shows in 0 of 2"),
        ("fig3_3_dynamic", [(-0.04, 0.04), (-0.01, 0.02)], "constant in n. That shows in 2 of 2"),
        ("fig3_3_dynamic", [(-0.06, 0.04), (-0.2, -0.1)], "constant in n. That shows in 0 of 2"),
    ],
)
def test_the_claim_is_counted_where_it_shows(curve, intervals, claim):
    assert claim in as_text(SETTINGS, slopes(curve, intervals))


def test_a_row_holds_its_numbers():
    table = slopes(
        "fig3_3_spectral", [(-1.45, -1.35)], asymptotic=-1.6, expected=-1.3, verdict="disagrees"
    )
    (row,) = re.findall(r"^ +1  .*$", as_text(SETTINGS, table), re.MULTILINE)
    assert row.split() == ["1", "-8/5", "-1.30", "-1.40", "[-1.45,", "-1.35]", "✗", "disagrees", "shows"]


def test_each_curve_has_its_heading_and_the_legend_stands_once():
    both = pd.concat(
        [slopes("fig3_3_spectral", [(-1.5, -1.3)]), slopes("fig3_3_dynamic", [(-0.01, 0.01)])],
        ignore_index=True,
    )
    text = " ".join(as_text(SETTINGS, both).split())
    assert text.index("fig3_3_spectral: spectral parametrization") < text.index(
        "fig3_3_dynamic: dynamic"
    )
    assert text.count("n_min = 150 n^(1/5)") == 2
    assert text.count("within 0.05 of theory's") == 1
    assert "30 networks at each of 10 n from 1000 to 10000" in text


def test_places_and_values_are_those_of_the_figure():
    table = slopes("fig3_3_dynamic", [(-0.01, 0.01)])
    figure = Figure(Path("a/b.png"), table, (Path("a/t.csv"),))
    assert figure.places() == "Trials: a/t.csv\nPicture: a/b.png"
    found = json.loads(json.dumps(figure.values()))
    assert (found["trials"], found["picture"]) == (["a/t.csv"], "a/b.png")
    assert found["slopes"][0]["ci_low"] == -0.01
    assert found["slopes"][0]["joint_p"] is None
