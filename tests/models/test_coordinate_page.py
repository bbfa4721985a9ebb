"""The page on coordinate checks: its example runs, prints what the page says, and made its figure."""

import numpy as np

from dynparam.provenance.record import read_sidecar
from dynparam.support.tables import read_csv
from examples import coordinate_page


def test_the_example_prints_what_the_page_shows_and_measures_what_the_figure_shows():
    page = coordinate_page.PAGE.read_text()
    printed, check = coordinate_page.run(coordinate_page.example(page))
    assert printed == coordinate_page.shown(page)
    committed = read_csv(coordinate_page.PNG.with_suffix(".csv"))
    assert committed.columns.tolist() == check.table.columns.tolist()
    numbers = committed.columns.drop("name")
    assert read_sidecar(coordinate_page.PNG.with_suffix(".json"))["message"] == check.message
    np.testing.assert_allclose(committed[numbers], check.table[numbers].to_numpy(float), rtol=1e-7)


def test_the_figure_was_made_from_the_code_on_the_page():
    record = read_sidecar(coordinate_page.PNG.with_suffix(".json"))
    assert record["config"]["code"] == coordinate_page.example(coordinate_page.PAGE.read_text())
