"""The report of a finished run, and Snakemake's own."""

import csv
import re

from tests.workflow.sandbox import PANELS


def test_the_page_shows_the_run(finished):
    html = (finished.root / "results/report/report.html").read_text(encoding="utf-8")
    slopes = re.search(r'id="slopes-table".*?<tbody>(.*?)</tbody>', html, re.DOTALL)[1]
    with (finished.root / "results/comparison/slopes.csv").open(encoding="utf-8", newline="") as file:
        assert slopes.count("<tr>") == len(list(csv.DictReader(file)))
    for figure in PANELS:
        assert f'id="figure-{figure}"' in html
    assert "Nothing to audit" in html  # all curves are trained here


def test_snakemakes_own_report_needs_no_network(clone):
    """Figures and tables are in it, with captions, and it loads nothing."""
    outcome = clone.snakemake("--report", "own.html")
    assert outcome.code == 0, outcome.text
    html = (clone.root / "own.html").read_text(encoding="utf-8")
    for name in ("fig3_2.png", "slopes.html", "claims.html", "table1_1.html", "edges.csv"):
        assert name in html
    assert "Spectral parametrization along two families of widths" in html  # the caption of fig3_2
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', html)
