"""What an experiment offers, found in its folder."""

from pathlib import Path

import pytest

from dynparam.provenance.experiment import Experiment, Files, Page, ShownFigure, ShownTable, titled
from dynparam.support.errors import DataError
from dynparam.support.tables import COUNT, Form

SWEEP = Experiment("r_sweep", "The edge", "Sec. 2.3.2", stages=())
BARE = Experiment("architecture", "The network", "Fig. 3.1", stages=())


def test_it_offers_nothing_it_does_not_state():
    files = Files(Path("results"), Path("figures"))
    assert not [*BARE.figures(None), *BARE.documents(None), *BARE.borrowed(None), *BARE.tables]
    assert not [*BARE.reads(None, files), *BARE.quoted(None, files)]


def test_its_modules_lie_in_its_folder():
    assert SWEEP.package == "dynparam.experiments.r_sweep"
    assert SWEEP.module("findings") == "dynparam.experiments.r_sweep.findings"
    assert SWEEP.has("findings")
    assert not BARE.has("findings")
    assert SWEEP.caption("edges").read_text().startswith("For updates of size :math:`m^r`")


def test_without_a_report_of_its_own_figures_are_all_it_shows(tmp_path):
    assert BARE.page(None, Files(tmp_path, tmp_path)) == Page()


def test_a_table_is_named_after_its_file():
    assert ShownTable("sweep/edges", "r_sweep").name == "edges"
    assert ShownTable("edges", "r_sweep").name == "edges"


def test_a_figure_without_a_title_goes_by_its_name():
    titles = {"edges": ("The edge", "Sec. 2.3.2")}
    assert titled(titles, "edges", ["a.csv"]) == ShownFigure(
        "edges", "The edge", "Sec. 2.3.2", ("a.csv",)
    )
    assert titled(titles, "my_own_edges") == ShownFigure("my_own_edges", "my own edges", "", ())


def test_tables_and_plotted_data_are_read_from_their_places(tmp_path):
    files, form = Files(tmp_path / "results", tmp_path / "figures"), Form({"r": COUNT})
    for folder, value in (("results/sweep", 1), ("figures", 2)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "edges.csv").write_text(f"r\n{value}\n")
    assert list(files.table("sweep/edges", form)["r"]) == [1]
    assert list(files.plotted("edges", form)["r"]) == [2]
    with pytest.raises(DataError, match=r"other\.csv: not a readable table"):
        files.table("sweep/other", form)
