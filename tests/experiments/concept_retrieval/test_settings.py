"""Settings of the experiment on repeated inference: what is refused, and what is not."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.concept_retrieval.settings import for_concepts
from tests import concepts
from tests.thesis import CONFIG

CLUSTERS, LINEAR, NONLINEAR, INFERENCE = (
    concepts.SMALL[name] for name in ("clusters", "linear", "nonlinear", "inference")
)
TOLERANCES = concepts.WHOLE["tolerances"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"linear": LINEAR | {"latent": [4, 1]}}, r"linear\.latent is not increasing"),
        ({"linear": LINEAR | {"latent": [4, 4]}}, r"linear\.latent is not increasing"),
        ({"linear": LINEAR | {"latent": []}}, r"linear\.latent"),
        ({"linear": LINEAR | {"latent": [0]}}, r"linear\.latent\.0"),
        ({"linear": LINEAR | {"latent": list(range(1, 12))}}, r"linear\.latent"),
        ({"linear": LINEAR | {"latent": [1, 9]}}, r"linear\.latent \(9\) exceeds .* \(8\).*lower it"),
        ({"linear": LINEAR | {"trials": 1}}, r"linear\.trials"),
        ({"linear": LINEAR | {"steps": 0}}, r"linear\.steps"),
        ({"linear": LINEAR | {"rate": 0}}, r"linear\.rate"),
        ({"linear": LINEAR | {"rate": float("nan")}}, r"linear\.rate"),
        ({"nonlinear": NONLINEAR | {"latent": 9}}, r"nonlinear\.latent \(9\) exceeds .* \(8\)"),
        ({"nonlinear": NONLINEAR | {"hidden": 0}}, r"nonlinear\.hidden"),
        ({"nonlinear": NONLINEAR | {"batch": 1}}, r"nonlinear\.batch"),
        ({"nonlinear": NONLINEAR | {"trials": True}}, "trials is true"),
        ({"clusters": CLUSTERS | {"clusters": 1}}, r"clusters\.clusters"),
        ({"clusters": CLUSTERS | {"dimensions": 1}}, r"clusters\.dimensions"),
        ({"clusters": CLUSTERS | {"within_dimensions": 6}}, r"\(9 together\) exceed .* \(8\)"),
        ({"clusters": CLUSTERS | {"samples": 2}}, r"samples \(2\) leaves clusters empty \(3\)"),
        ({"clusters": CLUSTERS | {"centre_sd": 0}}, r"clusters\.centre_sd"),
        ({"clusters": CLUSTERS | {"within_sd": -1}}, r"clusters\.within_sd"),
        ({"clusters": CLUSTERS | {"noise": -0.1}}, r"clusters\.noise"),
        ({"inference": INFERENCE | {"steps": 0}}, r"inference\.steps"),
        ({"inference": INFERENCE | {"noise": -1}}, r"inference\.noise"),
        ({"inference": INFERENCE | {"patterns": 1}}, r"inference\.patterns"),
        ({"variance": 0}, "variance"),
        ({"variance": float("inf")}, "variance"),
        ({"tolerances": TOLERANCES | {"approach": 1}}, r"tolerances\.approach"),
        ({"figure": "../own"}, "figure"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        concepts.settings(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"linear": LINEAR | {"latent": [8]}},
        {"nonlinear": NONLINEAR | {"latent": 8}},
        {"clusters": CLUSTERS | {"samples": 3}},
        {"clusters": CLUSTERS | {"within_dimensions": 5}},
        {"clusters": CLUSTERS | {"noise": 0}},
        {"inference": INFERENCE | {"noise": 0}},
    ],
)
def test_ends_of_what_is_possible_are_not(changes):
    kept = concepts.settings(**changes).model_dump(mode="json")
    for block, values in changes.items():
        assert {name: kept[block][name] for name in values} == values


def test_a_figure_depends_on_no_other_figure():
    blocks = concepts.stage()
    assert CONFIG.figures.titles
    shown = for_concepts(blocks)
    assert not shown.figures.titles
    assert shown.figures.dpi == CONFIG.figures.dpi
    assert shown.concept_retrieval == blocks.concept_retrieval
    assert shown.fit == blocks.fit
