"""What the report shows: the verdicts of this experiment, under its own anchor."""

from dynparam.experiments.isometry.report import page
from dynparam.provenance.experiment import Files
from dynparam.support.tables import write_csv
from tests import isometry
from tests.thesis import CONFIG


def test_the_page_counts_the_verdicts_of_its_own_table(tmp_path):
    table = isometry.verdicts()
    write_csv(table, tmp_path / "isometry" / "verdicts.csv")
    shown = page(CONFIG, Files(tmp_path, tmp_path))
    (count,), (part,) = shown.counts, shown.parts
    judged = table["role"].isin(["claim", "control"]).sum()
    assert (count.anchor, count.all, count.tones["good"]) == ("isometry", judged, judged)
    assert part.anchor == "isometry"
    assert part.file == tmp_path / "isometry" / "verdicts.csv"
    assert f'href="#figure-{CONFIG.isometry.figure}"' in part.sections[0].paragraphs[0]
