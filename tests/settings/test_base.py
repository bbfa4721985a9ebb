"""Blocks: picked out of a whole, digested, compared, and looked up by name."""

import json
import random

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.settings.base import Block, differences, digest, named, pick, value_at, values_digest
from dynparam.settings.shared import Comparison, Fit
from dynparam.support.errors import ConfigError
from tests.planted import ROOT


class Judged(Block):
    fit: Fit
    comparison: Comparison


class Elsewhere(Block):
    nowhere: Fit


@pytest.fixture(scope="module")
def thesis():
    return load(Config, [ROOT / "config" / "thesis.yaml"])


def test_a_stage_gets_the_blocks_of_its_names_alone(thesis):
    picked = pick(Judged, thesis)
    assert picked == Judged(fit=thesis.fit, comparison=thesis.comparison)
    assert set(picked.model_dump()) == {"fit", "comparison"}


def test_a_block_that_the_whole_lacks_is_told(thesis):
    with pytest.raises(ValueError, match="nowhere"):
        pick(Elsewhere, thesis)


def test_digests_do_not_depend_on_the_order_of_keys(thesis):
    """Panels, curves and pairs in another order are the same settings."""
    values = thesis.model_dump(mode="json")

    def shuffled(value):
        if not isinstance(value, dict):
            return value
        items = [(key, shuffled(one)) for key, one in value.items()]
        random.Random(0).shuffle(items)
        return dict(items)

    other = shuffled(values)
    assert json.dumps(other) != json.dumps(values)
    assert values_digest(other) == values_digest(values) == digest(thesis)
    assert digest(Config.model_validate(other)) == digest(thesis)
    other["fit"]["seed"] += 1
    assert values_digest(other) != digest(thesis)


def test_differences_name_every_key():
    old = {"fit": {"seed": 1, "resamples": 99}, "gone": 2}
    new = {"fit": {"seed": 1, "resamples": 999}, "come": [3]}
    assert differences(old, new) == [
        "fit.resamples: 99, here 999",
        "gone: 2, here None",
        "come: None, here [3]",
    ]
    assert differences(old, old) == []


def test_a_name_near_another_is_asked_about():
    with pytest.raises(ConfigError, match=r"no 'fig3_1' in panels; choose one of fig3_2, fig4"):
        named({"fig3_2": 0, "fig4": 1}, "fig3_1", "panels")
    with pytest.raises(ConfigError, match=r"did you mean 'fig3_2'\?"):
        named({"fig3_2": 0, "fig4": 1}, "fig3_3", "panels")
    assert named({"a": 5}, "a", "letters") == 5


def test_values_are_found_by_dotted_keys(thesis):
    assert value_at(thesis, "probe.rounding") == thesis.probe.rounding
    assert value_at(thesis, "fit.confidence") == thesis.fit.confidence
    for key in ("probe.nothing", "probe.rounding.more", "nothing"):
        with pytest.raises(ConfigError, match=f"name '{key}', which no configuration has"):
            value_at(thesis, key)
