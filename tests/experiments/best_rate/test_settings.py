"""Settings of best rates: what cannot be trained is told by the key that asks for it."""

import pytest

from dynparam.configuration.arms import all_arms
from dynparam.experiments.best_rate.settings import BestRateSettings
from tests.thesis import CONFIG

BLOCK = CONFIG.best_rate.model_dump(mode="json")
NETWORK = BLOCK["networks"][0]


def block(**changes):
    return BestRateSettings.model_validate({**BLOCK, **changes})


def test_rates_are_octaves_of_the_thesis_s():
    own = block(networks=[{**NETWORK, "first": -2, "last": 1}])
    assert own.rates(own.networks[0]) == (0.025, 0.05, 0.1, 0.2)


def test_a_table_for_each_scheme_of_each_network_and_task():
    places = [place for place, _ in CONFIG.best_rate.tables()]
    assert len(places) == len(set(places))
    stages = all_arms(CONFIG)
    assert set(places) == {place for place in stages if place.startswith("best_rate/")}
    for place, (task, network, name) in CONFIG.best_rate.tables():
        stage, scheme = stages[place], CONFIG.best_rate.schemes[name]
        assert stage.task == task
        assert (stage.protocol.n, stage.protocol.n_min) == (network.n, network.n_min)
        assert stage.data.validation_count == CONFIG.best_rate.validation_images
        assert {arm.initialization for arm in stage.arms} == {scheme.initialization}
        assert {arm.parametrization for arm in stage.arms} == {scheme.rates}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"networks": [{**NETWORK, "first": 3, "last": 3}]}, "must exceed first"),
        ({"networks": [{**NETWORK, "n_min": 2000}]}, "lower it"),
        ({"networks": [NETWORK, NETWORK]}, "twice; list it once"),
        ({"networks": [{**NETWORK, "schemes": ["ntk"]}]}, "schemes has no 'ntk'"),
        ({"compared": ["spectral", "standard"]}, "schemes has no 'standard'"),
        ({"chosen_by": "test_loss"}, "validation_loss"),
    ],
)
def test_impossible_settings_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        block(**changes)
