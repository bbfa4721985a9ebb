"""Settings of continual learning: what its jobs depend on, and what is refused."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.continual_learning.settings import for_continual, for_continual_trials
from dynparam.support.errors import ConfigError
from tests import continual

SMALL = continual.SMALL


@pytest.mark.parametrize(
    ("key", "value"), [("gaussian.trials", 4), ("images.r", "1/4"), ("seed", 1), ("images.n", 32)]
)
def test_what_is_measured_changes_both(key, value):
    changed, plain = continual.config({key: value}), continual.config()
    assert for_continual_trials(changed) != for_continual_trials(plain)
    assert for_continual(changed) != for_continual(plain)


def test_only_the_pair_s_images_matter():
    assert list(continual.trials().data.pairs) == ["airplane-automobile"]


def test_an_unknown_pair_is_told_with_its_key():
    with pytest.raises(ConfigError, match=r"which continual_learning\.images\.pair names"):
        continual.trials({"images.pair": "cat-dog"})


def test_a_pair_of_tasks_is_measured_once_with_all_its_similarities():
    rows = continual.config().continual_learning.gaussian.rows()
    assert [(one.first, one.second) for one in rows] == [(20, 5), (20, 20), (40, 4)]
    assert rows[1].similarities == (0.0, 0.5, 1.0)
    images = continual.config().continual_learning.images
    assert [one.similarities for one in images.rows("mup")] == [(1.0,)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gaussian.modes": 40}, r"40 samples reach the interpolation threshold, modes \(40\)"),
        ({"gaussian.modes": 60}, r"60 samples reach the interpolation threshold"),
        ({"images.pool": 20}, r"20 samples reach the interpolation threshold, pool \(20\)"),
        ({"images.pool": 41}, r"pool \(41\) is odd"),
        ({"images.pool": 0}, "images.pool"),
        ({"images.parametrizations": ["ntk", "ntk"]}, "one twice"),
        ({"images.parametrizations": ["sp"]}, "parametrizations"),
        ({"images.r": "3/4"}, r"images\.r"),
        ({"images.n": 2.5}, r"images\.n"),
        ({"images.narrow": {"coefficient": 2, "exponent": 1}}, "narrow at n: "),
        ({"images.others": [{"first": 5, "second": 5, "noise": 0.1}]}, "others has noise"),
        ({"gaussian.others": [{"first": 5, "second": 5, "noise": -0.1}]}, "noise"),
        ({"gaussian.others": [{"first": 0, "second": 5, "noise": 0}]}, "first"),
        ({"gaussian.curve.other": 1.5}, r"curve\.other"),
        ({"gaussian.curve.seconds": [20, 5]}, "seconds are not increasing"),
        ({"gaussian.similarity.values": [0, 2]}, "values"),
        ({"gaussian.similarity.values": [0.5, 1]}, "values lack 0 or 1"),
        ({"gaussian.similarity.values": [1, 0]}, "values are not increasing"),
        ({"gaussian.decay": 0}, "decay"),
        ({"gaussian.targets": 0}, "targets"),
        ({"gaussian.trials": 1}, "trials"),
        ({"gaussian.trials": True}, "trials is true"),
        ({"tolerances.error": 0}, r"tolerances\.error"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        continual.config(changes)
