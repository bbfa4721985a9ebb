"""Blocks that several experiments share."""

import pytest

from dynparam.settings.shared import panels_of, shown_curves
from dynparam.support.errors import ConfigError
from tests.findings_run import CONFIG

PANELS = {"one": ("b", "a"), "two": ("c", "b"), "three": ()}


def test_a_curve_of_two_figures_is_measured_once():
    assert shown_curves(PANELS) == ["b", "a", "c"]
    assert shown_curves({}) == []


def test_panels_of_a_figure_keep_their_order():
    assert panels_of(PANELS, "one") == ("b", "a")
    with pytest.raises(ConfigError, match=r"no 'tow' in panels; .* \(did you mean 'two'\?\)"):
        panels_of(PANELS, "tow")


def test_figures_are_cut_down_to_what_is_drawn():
    figures = CONFIG.figures
    title, network = next(iter(figures.titles)), next(iter(figures.architecture))
    nothing = figures.only()
    assert nothing.titles == nothing.architecture == {}
    titled = figures.only(titles={title: figures.titles[title]})
    assert (list(titled.titles), titled.architecture) == ([title], {})
    pictured = figures.only(architecture={network: figures.architecture_figure(network)})
    assert (pictured.titles, list(pictured.architecture)) == ({}, [network])
    rest = {"titles", "architecture"}
    assert nothing.model_dump(exclude=rest) == figures.model_dump(exclude=rest)


@pytest.mark.parametrize(
    ("find", "key"),
    [
        (CONFIG.figures.architecture_figure, "figures.architecture"),
        (CONFIG.figures.training_figure, "figures.training"),
        (CONFIG.probe.curve, "probe.curves"),
        (CONFIG.data.of_pair, "data.pairs"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_its_key(find, key):
    with pytest.raises(ConfigError, match=rf"^there is no 'absent' in {key}; choose one of \w+"):
        find("absent")
