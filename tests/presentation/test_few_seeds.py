"""Few seeds as thin lines: which numbers are few, and what is drawn of each."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from dynparam.presentation.few_seeds import draw_seeds, is_few, means_of, seeds_key, singles_of

ROWS = pd.DataFrame(
    {"x": [0, 1, 0, 1, 0, 1], "y": [2, 3, 1, 2, 3, 4], "seed": [None, None, 7, 7, 9, 9]}
).astype({"seed": "Int64"})


@pytest.mark.parametrize(("seeds", "few"), [(0, False), (1, False), (2, True), (5, True), (6, False)])
def test_few_are_two_to_five(seeds, few):
    assert is_few(seeds) == few


def test_means_and_single_seeds_are_told_apart():
    assert means_of(ROWS)["y"].tolist() == [2, 3]
    assert singles_of(ROWS)["y"].tolist() == [1, 2, 3, 4]
    assert singles_of(means_of(ROWS)).empty


def test_every_seed_is_a_line_as_thin_as_the_key_says():
    axis = Figure().subplots()
    draw_seeds(axis, singles_of(ROWS), "x", "y", color="r", linestyle="--")
    assert [line.get_ydata().tolist() for line in axis.lines] == [[1, 2], [3, 4]]
    for line in axis.lines:
        assert (line.get_color(), line.get_linestyle()) == ("r", "--")
        assert line.get_linewidth() == seeds_key().get_linewidth() < 1
    draw_seeds(axis, means_of(ROWS), "x", "y")
    assert len(axis.lines) == 2
