"""The lines at the end of a run: what they tell, and that they are ten at most."""

import pandas as pd
import pytest

from dynparam.provenance.source_claims import REPORT, THESIS, SourceClaim
from dynparam.report import published, sources
from dynparam.report.ending import MAX_LINES, WIDTH, ending
from dynparam.support.errors import DataError
from tests.report import beside


@pytest.fixture
def run(tmp_path):
    """A finished run; tables are written by the tests."""
    config = beside.settings(tmp_path)
    (config.paths.results / "comparison").mkdir(parents=True)
    (config.paths.results / "report").mkdir()
    (config.paths.results / "report/report.html").touch()
    return config


def claims(config, thesis, report=("holds",)):
    rows = [
        sources.Tested(
            SourceClaim(document, f"Fig. {k}", f"Claim {k} {'of many words ' * 20}", "m", (word,), ""),
            None,
        )
        for document, words in ((THESIS, thesis), (REPORT, report))
        for k, word in enumerate(words)
    ]
    sources.table(rows).to_csv(config.paths.results / "comparison/sources.csv", index=False)


def compared(config, *verdicts):
    rows = [(f"fig{k}", "figure", verdict, "", "a", "b") for k, verdict in enumerate(verdicts)]
    table = pd.DataFrame(rows, columns=list(published.FORM.columns))
    table.to_csv(config.paths.results / "comparison/published.csv", index=False)


def told(config, seconds=754.2):
    files = ["figures/fig3_2.png", str(config.paths.results / "report/report.html")]
    return ending(config, seconds, files).splitlines()


def test_a_whole_run_tells_report_claims_time_and_reproduction(run):
    claims(run, ("holds", "holds", "fails"), ("holds", "undecided"))
    compared(run, *["equal"] * 14)
    assert told(run)[:4] == [
        "Done in 12 min 34 s.",
        f"Report: {run.paths.results}/report/report.html",
        "Of 3 claims of the thesis 2 hold and 1 fails.",
        "Of 2 claims of the report 1 holds and 1 is undecided.",
    ]
    assert told(run)[4].startswith("  ✗ Fig. 2: Claim 2 of many")
    assert told(run)[5:] == ["Published figures: 14 of 14 equal."]


def test_what_is_not_equal_names_its_table(run):
    claims(run, ("holds",))
    compared(run, "equal", "agrees", "disagrees", "disagrees", "other settings", "not published")
    assert told(run)[-1] == (
        "Published figures: 1 of 6 equal, 1 agrees to 1%, 2 disagree, 1 of other settings, and 1 not "
        f"published. Details: {run.paths.results}/comparison/published.md"
    )


@pytest.mark.parametrize("failing", [0, 1, 4, 5, 30])
def test_ten_lines_at_most(run, failing):
    claims(run, ("fails",) * failing + ("holds",))
    compared(run, "equal")
    lines = told(run)
    assert len(lines) <= MAX_LINES == 10
    named = [line for line in lines if line.startswith("  ✗")]
    assert len(named) == min(failing, 4)
    assert max(map(len, named), default=0) <= WIDTH
    assert ("  and 26 more that fail" in lines) == (failing == 30)


def test_a_part_of_a_run_tells_where_its_files_are(run):
    """And no answer, which may be of another run."""
    claims(run, ("fails",))
    files = [f"results/figures/fig3_2.{kind}" for kind in ("png", "svg", "pdf", "csv", "json")]
    assert ending(run, 65, [*files, "results/a.csv"]).splitlines() == [
        "Done in 1 min 5 s.",
        "results/figures/fig3_2.{png,svg,pdf,csv,json}",
        "results/a.csv",
    ]
    many = ending(run, 65, [f"results/{k}.csv" for k in range(50)]).splitlines()
    assert len(many) == MAX_LINES
    assert many[-1] == "and 42 more"


def test_a_run_without_its_report_tells_no_answers(run):
    """As after ``snakemake --until``."""
    report = run.paths.results / "report/report.html"
    report.unlink()
    assert ending(run, 1, [str(report)]).splitlines() == ["Done in 1 s.", str(report)]


def test_a_table_that_cannot_be_read_is_named(run):
    claims(run, ("holds",))
    with pytest.raises(DataError, match=r"published\.csv"):
        told(run)
