"""Settings of the experiment on softmax: what its jobs depend on, and what is refused."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.softmax_fisher.settings import for_softmax, for_softmax_trials
from dynparam.support.errors import ConfigError
from tests import softmax
from tests.findings_run import CONFIG, configured


@pytest.mark.parametrize(
    ("key", "value"),
    [("images.widths", [8, 32]), ("trials", 4), ("r", "1/4"), ("samples", 8)],
)
def test_what_is_measured_changes_both(key, value):
    changed = configured({f"softmax_fisher.{key}": value})
    assert for_softmax_trials(changed) != for_softmax_trials(CONFIG)
    assert for_softmax(changed) != for_softmax(CONFIG)


def test_nothing_else_reaches_a_measurement():
    changed = configured({"probe.trials": 31, "fit.confidence": 0.9, "figures.dpi": 50})
    assert for_softmax_trials(changed) == for_softmax_trials(CONFIG)


def test_only_the_pair_s_images_matter():
    found = for_softmax_trials(CONFIG)
    assert list(found.data.pairs) == [CONFIG.softmax_fisher.pair]


def test_an_unknown_pair_is_told_with_its_key():
    with pytest.raises(ValidationError, match=r"softmax_fisher\.pair names 'cat-dog'"):
        configured({"softmax_fisher.pair": "cat-dog"})
    wrong = CONFIG.model_copy(
        update={"softmax_fisher": CONFIG.softmax_fisher.model_copy(update={"pair": "cat-dog"})}
    )
    with pytest.raises(ConfigError, match=r"no 'cat-dog' in data\.pairs, which softmax_fisher\.pair"):
        for_softmax_trials(wrong)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 7}, r"samples \(7\) is odd"),
        ({"samples": 0}, "greater than or equal to 2"),
        ({"ranks": 4}, "exceed the 4 classes"),
        ({"ranks": 6, "gaussian": {"inputs": 20, "hidden": [5], "outputs": 6}}, "exceed the 6 classes"),
        ({"ranks": 25, "gaussian": {"inputs": 20, "hidden": [5], "outputs": 6}}, "the 24 eigenvalues"),
        ({"ranks": 19}, "no more than the 18 eigenvalues"),
        ({"parametrizations": ["ntk", "ntk"]}, "one twice"),
        ({"parametrizations": ["sp"]}, "parametrizations"),
        ({"parametrizations": []}, "parametrizations"),
        ({"r": "3/4"}, "r\n"),
        ({"trials": 1}, "trials"),
        ({"trials": True}, "trials is true"),
        ({"gaussian": {"inputs": 20, "hidden": [], "outputs": 3}}, "hidden"),
        ({"gaussian": {"inputs": 20, "hidden": [0], "outputs": 3}}, "hidden.0"),
        ({"gaussian": {"inputs": 20, "hidden": [2.5], "outputs": 3}}, "hidden.0"),
        ({"gaussian": {"inputs": 20, "hidden": [5], "outputs": 1}}, "gaussian.outputs"),
        ({"images": {**softmax.SMALL["images"], "outputs": 2}}, "images.outputs"),
        ({"images": {**softmax.SMALL["images"], "widths": [16, 8]}}, "not increasing"),
        ({"images": {**softmax.SMALL["images"], "widths": []}}, "widths"),
        ({"images": {**softmax.SMALL["images"], "widths": [1]}}, "narrow at widths: n_min"),
        (
            {"images": {**softmax.SMALL["images"], "narrow": {"coefficient": 2, "exponent": 1}}},
            "wider than the wide layers",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        softmax.config(**changes)


def test_as_many_ranks_as_there_may_be_are_kept():
    assert softmax.config(ranks=5).softmax_fisher.ranks == 5
    assert softmax.config(ranks=18).softmax_fisher.ranks == 18
