"""A line with marks: every point has one, and the best a large one."""

import pandas as pd
from matplotlib.figure import Figure

from dynparam.presentation.marked_line import best_marked_line

LINE = pd.DataFrame({"rate": [4, 1, 2], "value": [0.4, 0.1, 0.2], "best": [False, False, True]})


def test_every_point_is_marked_and_the_best_is_large():
    axis = Figure().subplots()
    best_marked_line(axis, LINE, "rate", color="r", marker="s", linestyle="--")
    line, best = axis.lines
    assert line.get_xydata().tolist() == [[1, 0.1], [2, 0.2], [4, 0.4]]
    assert best.get_xydata().tolist() == [[2, 0.2]]
    assert (line.get_linestyle(), best.get_linestyle()) == ("--", "None")
    assert line.get_marker() == best.get_marker() == "s"
    assert line.get_color() == best.get_color() == "r"
    assert line.get_markersize() < best.get_markersize()


def test_a_line_without_a_best_point_has_small_marks_alone():
    axis = Figure().subplots()
    best_marked_line(axis, LINE.assign(best=False), "rate", marker="s")
    assert [len(line.get_xdata()) for line in axis.lines] == [3, 0]
