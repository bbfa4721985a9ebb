"""Every figure of the workflow as it is printed, across a page and in a column."""

import pytest
from matplotlib.figure import Figure

from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.figure_style import Sheet
from tests import published
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
