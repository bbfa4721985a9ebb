"""What the report shows of an experiment: the verdicts of its own table, under its own anchor."""

import pytest

from dynparam.experiments.isometry import report as isometry_report
from dynparam.experiments.softmax_fisher import report as softmax_report
from dynparam.provenance.experiment import Files
from dynparam.support.tables import write_csv
from tests import isometry, softmax
from tests.thesis import CONFIG


@pytest.mark.parametrize(
    ("page", "verdicts", "folder", "anchor", "figure"),
    [
        (isometry_report.page, isometry.verdicts, "isometry", "isometry", CONFIG.isometry.figure),
        (
            softmax_report.page,
            softmax.verdicts,
            "softmax_fisher",
            "softmax",
            CONFIG.softmax_fisher.figure,
        ),
    ],
    ids=["isometry", "softmax_fisher"],
)
def test_the_page_counts_the_verdicts_of_its_own_table(tmp_path, page, verdicts, folder, anchor, figure):
    table = verdicts()
    write_csv(table, tmp_path / folder / "verdicts.csv")
    shown = page(CONFIG, Files(tmp_path, tmp_path))
    (count,), (part,) = shown.counts, shown.parts
    judged = table["role"].isin(["claim", "control"]).sum()
    assert (count.anchor, count.all, count.tones["good"]) == (anchor, judged, judged)
    assert part.anchor == anchor
    assert part.file == tmp_path / folder / "verdicts.csv"
    assert f'href="#figure-{figure}"' in part.sections[0].paragraphs[0]
