"""Settings of the experiment on fluctuations: what is refused."""

import pytest
from pydantic import ValidationError

from dynparam.configuration.config import Config
from tests import fluctuating
from tests.thesis import CONFIG


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_min": [20, 4]}, "n_min is not increasing"),
        ({"n_min": [4, 4]}, "n_min is not increasing"),
        ({"n_min": [4]}, "n_min"),
        ({"n_min": [4, 41]}, r"n_min names 41, which exceeds n \(40\)"),
        ({"bottlenecks": [2, 1]}, "bottlenecks is not increasing"),
        ({"bottlenecks": [0, 2]}, r"bottlenecks\.0"),
        ({"main": 3}, r"main \(3\) is not one of bottlenecks"),
        ({"parametrizations": ["ntk", "ntk"]}, "parametrizations has one twice"),
        ({"parametrizations": ["none"]}, r"parametrizations\.0"),
        ({"n_min": [1, 4]}, "most networks of 2 bottlenecks with n_min = 1 are dead"),
        ({"r": "3/4"}, "r"),
        ({"typical": 1}, "typical"),
        ({"trials": True}, "trials is true"),
        ({"learning_rate": 0}, "learning_rate"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        fluctuating.settings(**changes)


def test_layers_are_wide_and_narrow_in_turn():
    own = fluctuating.settings()
    assert own.hidden(2, 4) == (40, 4, 40, 4, 40)
    assert own.network(1, 20).sizes == (16, 40, 20, 40, 2)


def test_an_epoch_that_no_run_has_is_refused():
    values = CONFIG.model_dump(mode="json")
    values["fluctuations"]["epoch"] = CONFIG.domain.epochs + 1
    with pytest.raises(ValidationError, match=r"fluctuations\.epoch \(51\) exceeds the 50 epochs"):
        Config.model_validate(values)
