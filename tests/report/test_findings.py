"""The page of findings: what it quotes, and that its sentences follow the numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynparam.configuration.config import Config, for_findings
from dynparam.configuration.loading import load
from dynparam.experiments.training_curves.claims import judge_all
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.report.findings import Evidence, Found, page, series, signed, span
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv

ROOT = Path(__file__).parents[2]
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])
CURVES = {
    "fig3_2": ("fig3_2_constant_ratio", "fig3_2_dynamic_ratio"),
    "fig3_3": ("fig3_3_spectral", "fig3_3_dynamic"),
}
SLOPES = {
    "fig3_2_constant_ratio": 0.3,
    "fig3_2_dynamic_ratio": -0.7,
    "fig3_3_spectral": -1.3,
    "fig3_3_dynamic": 0.01,
}


def slopes():
    rows = [
        {
            "figure": figure + suffix,
            "curve": curve,
            "layer": layer,
            "asymptotic": 0.0,
            "expected": SLOPES[curve],
            "slope": SLOPES[curve] + layer / 100,
            "ci_low": SLOPES[curve] - 0.1,
            "ci_high": SLOPES[curve] + 0.1,
            "verdict": "agrees",
            "note": "claim (x) visible" if layer > 1 else "claim (x) not visible in this window",
            "expected_exact": SLOPES[curve] if not suffix else np.nan,
            "expected_exact_error": 0.005 if not suffix else np.nan,
            "deviation": layer / 2 if not suffix else np.nan,
        }
        for suffix in ("", "_wide")
        for figure, curves in CURVES.items()
        for curve in curves
        for layer in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def claims():
    """All claims, from the archived curves."""
    settings = for_claims(CONFIG)
    network = f"{settings.protocol.n}-{settings.protocol.n_min}"
    archive = ROOT / "results" / "archive"
    return judge_all(
        settings,
        {
            (figure, name): read_csv(archive / task / network / f"{name}.csv")
            for figure, task in settings.figures.training.items()
            for name in settings.training.parametrizations
        },
    )


@pytest.fixture(scope="module")
def evidence():
    figures = ROOT / "figures"
    edges = pd.DataFrame(
        [
            {
                "statistic": statistic,
                "reference": reference,
                "edge_expected": 0.5,
                "edge": 0.49,
                "ci_low": 0.45,
                "ci_high": 0.53,
                "update_exponent": 0.25,
                "update_expected": 0.25,
                "verdict": "agrees",
            }
            for statistic in ("drift", "growth")
            for reference in ("n_min", "n_max")
        ]
    )
    return Evidence(
        slopes=slopes(),
        claims=claims(),
        domain=read_csv(figures / "claim_domain.csv"),
        table1_1=read_csv(figures / "table1_1.csv"),
        conditions=read_csv(figures / "conditions.csv"),
        edges=edges,
        changes=read_csv(figures / "open_choices.csv"),
        seeds=3,
    )


def test_page_quotes_its_tables(evidence):
    text = " ".join(page(evidence, for_findings(CONFIG)).split())
    assert "**Measurement and theory agree** in 12 of 12 slopes" in text
    assert "spectral's slopes are -1.29 to -1.27, dynamic's +0.02 to +0.04" in text
    assert "0.490 [0.450, 0.530] | agrees" in text
    assert "not so in this run" not in text


def test_a_sentence_that_no_longer_holds_is_marked(evidence):
    """Dynamic's slopes as steep as spectral's; and an edge that lies elsewhere."""
    turned = evidence.slopes.copy()
    turned.loc[turned["curve"] == "fig3_3_dynamic", "slope"] = -1.2
    marked = page(replace(evidence, slopes=turned), for_findings(CONFIG))
    assert marked.count("not so in this run") == 1
    moved = evidence.edges.assign(verdict="disagrees")
    assert "(**not so in this run:**) **The edge" in page(
        replace(evidence, edges=moved), for_findings(CONFIG)
    )


def test_missing_numbers_are_one_sentence(evidence):
    lacking = evidence.slopes[evidence.slopes["curve"] != "fig3_3_dynamic"]
    with pytest.raises(DataError, match=r"slopes of fig3_3_dynamic in fig3_3.*run the target findings"):
        page(replace(evidence, slopes=lacking), for_findings(CONFIG))


def test_chance_of_the_largest_deviation(evidence):
    """1.5 standard errors: two-sided 13.4 %, of four curves at least one with 1 - 0.866^4 = 43.7 %."""
    found = Found(evidence).largest_deviation()
    assert found["errors"] == 1.5
    assert found["curves"] == 4
    assert found["chance"] == pytest.approx(0.437, abs=0.001)


def test_claims_show_in_layers(evidence):
    assert Found(evidence).visible("fig3_2", "fig3_2_constant_ratio") == 2


def test_a_slope_that_changes_sides_is_counted(evidence):
    changed = evidence.changes.copy()
    assert Found(evidence).open_choices()["moved"] == 0
    row = changed.index[changed["shows_by_default"] == "shows"][0]
    changed.loc[row, "shows"] = "does not show"
    assert Found(replace(evidence, changes=changed)).open_choices()["moved"] == 1


def test_numbers_as_they_are_written():
    assert signed(-0.001) == "0.00"
    assert signed(-1.005, 3) == "-1.005"
    assert series([0.1, -0.2]) == "+0.10, -0.20"
    assert span([0.1, -0.2, 0.0]) == "-0.20 to +0.10"
