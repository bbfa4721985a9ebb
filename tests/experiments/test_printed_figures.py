"""Every figure of the workflow as it is printed, across a page and in a column."""

import pytest
from matplotlib.figure import Figure

from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.figure_style import Sheet
from tests import grey, published
from tests.printed import SMALLEST_POINTS, faults
from tests.thesis import CONFIG

SAID = "Dynamic is better than spectral in what was compared first, and in this figure in the rest of it"
"""As long as most messages are."""


def test_every_figure_of_the_workflow_is_among_them():
    """One that is added has to be looked at."""
    shown = [one.name for experiment in EXPERIMENTS for one in experiment.figures(CONFIG)]
    assert sorted(shown) == sorted(published.DRAWN)


@pytest.mark.parametrize("width", [7.0, 3.5])
@pytest.mark.parametrize("name", published.DRAWN)
def test_letters_can_be_read_and_none_lie_on_others_or_on_points(name, width):
    """From the published data: no text below 6 points, no two on each other, none off the paper."""
    figure = published.draw(name, Sheet(width, SAID))
    assert figure.get_figwidth() == width
    assert figure.get_suptitle().replace("\n", " ") == SAID
    assert not faults(figure)


@pytest.mark.parametrize("name", published.DRAWN)
def test_nothing_is_told_apart_by_colour_alone(name):
    """Lines and marks of a panel keep their names in grey print."""
    assert not grey.faults(published.draw(name, Sheet(7.0)))


def drawn_alike(*styles):
    """What is wrong in grey with a panel of lines in these styles, a step above each other."""
    figure = Figure(figsize=(7, 4))
    axis = figure.subplots()
    for place, (style, points) in enumerate(styles):
        axis.plot(range(points), [place] * points, **style)
    return grey.faults(figure)


BLUE, RED = {"color": "#0072b2"}, {"color": "#d55e00"}
OPEN = {"markerfacecolor": "white"}
MARKS = {"linestyle": "", "marker": "o"}


@pytest.mark.parametrize(
    ("styles", "alike"),
    [
        ([(BLUE, 5), (RED, 5)], True),
        ([(BLUE, 5), (BLUE, 5)], False),
        ([(BLUE, 5), (RED | {"linestyle": "--"}, 5)], False),
        ([(BLUE, 5), (RED | {"linewidth": 0.5}, 5)], False),
        ([(BLUE | {"marker": "o"}, 5), (RED | {"marker": "o"}, 5)], True),
        ([(BLUE | {"marker": "o"}, 5), (RED | {"marker": "s"}, 5)], False),
        ([(BLUE | MARKS, 5), (RED | MARKS | OPEN, 5)], False),
        ([(BLUE, 5), (RED, 5), (RED | MARKS, 5)], True),  # marks, but far from their line
    ],
)
def test_what_differs_by_colour_alone_is_found(styles, alike):
    assert bool(drawn_alike(*styles)) == alike


@pytest.mark.parametrize(("marked", "alike"), [(5, False), (3, False), (1, True)])
def test_a_line_is_known_by_marks_that_it_passes_but_not_by_a_single_one(marked, alike):
    figure = Figure(figsize=(7, 4))
    axis = figure.subplots()
    for place, (style, marker) in enumerate(((BLUE, "o"), (RED, "s"))):
        axis.plot(range(5), [place] * 5, **style)
        axis.plot(range(marked), [place] * marked, marker, **style)
    assert bool(grey.faults(figure)) == alike


@pytest.mark.parametrize(("inner", "alike"), [("os", False), ("oo", True)])
def test_a_ring_is_known_by_the_mark_inside_and_needs_one_of_its_own(inner, alike):
    figure = Figure(figsize=(7, 4))
    axis = figure.subplots()
    for place, (style, marker) in enumerate(zip((BLUE, RED), inner, strict=True)):
        axis.plot(range(5), [place] * 5, marker=marker, markersize=4, **style)
        axis.plot([2], [place], markersize=9, **style, **OPEN, **MARKS)
    assert bool(grey.faults(figure)) == alike


def with_a_tick_beyond(figure, axis):
    """A tick that the limits of the axis leave out."""
    axis.set_xticks([0.5, 9.0], ["half", "off"])
    axis.set_xlim(0, 1)


def faulty(spoil):
    """A figure of two panels that is well but for one thing."""
    figure = Figure(figsize=(3.5, 2), layout="constrained")
    axes = figure.subplots(1, 2)
    axes[0].plot([0, 0.1, 1], [0, 0.1, 1], label="line")
    axes[0].set(xlabel="width", title="left")
    spoil(figure, axes[0])
    return faults(figure)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda figure, axis: None, None),
        (lambda figure, axis: axis.set_title("left", fontsize=SMALLEST_POINTS - 0.1), "has 5.9 points"),
        (lambda figure, axis: axis.set_title("a title as wide as both panels " * 2), "leaves the paper"),
        (lambda figure, axis: axis.set_xticks([0.5, 0.52], ["half", "more"]), "'half' lies on 'more'"),
        (lambda figure, axis: axis.legend(loc="lower left"), "covers 1 points"),
        (lambda figure, axis: axis.legend(loc="lower right"), None),
        (with_a_tick_beyond, None),
    ],
)
def test_what_is_wrong_is_found(spoil, fault):
    """Controls: one fault each is told, and what is not drawn is none."""
    found = faulty(spoil)
    assert [fault in one for one in found] == ([True] if fault else [])
