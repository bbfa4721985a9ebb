"""What settings of sharpness are refused, and in which words."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.sharpness.settings import Sharpness
from tests.experiments.sharpness.small import SHARPNESS


def changed(*path, to):
    whole = {key: dict(part) if isinstance(part, dict) else part for key, part in SHARPNESS.items()}
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return whole


def test_the_small_ones_are_good():
    assert Sharpness.model_validate(SHARPNESS).features == 3 * 8 * 8


@pytest.mark.parametrize(
    ("path", "to", "words"),
    [
        (("pool",), 5, r"pool \(5\) does not divide 32"),
        (("pool",), 0, "greater than 0"),
        (("seed",), -1, "greater than or equal to 0"),
        (("widths", "images"), 1, "greater than or equal to 2"),
        (("widths", "parametrizations"), ["lecun"], "Input should be 'ntk'"),
        (("widths", "parametrizations"), [], "at least 1 item"),
        (("widths", "families"), {}, "at least 1 item"),
        (("normalization", "outputs"), 2, "greater than or equal to 8"),
        (("normalization", "widths"), [40, 20], "widths must increase"),
        (("normalization", "widths"), [20, 20], "widths must increase"),
        (("normalization", "widths"), [2, 20], "widths must increase from 3"),
        (("normalization", "widths"), [20], "at least 2 items"),
        (("normalization", "layers"), 1, "greater than or equal to 2"),
        (("normalization", "fixed_images"), 2, "greater than or equal to 3"),
        (("rates", "steps"), 1, "greater than or equal to 10"),
        (("rates", "n"), [0], "greater than 0"),
    ],
)
def test_bad_settings_name_the_key_and_the_remedy(path, to, words):
    with pytest.raises(ValidationError, match=words):
        Sharpness.model_validate(changed(*path, to=to))


def test_a_family_without_narrow_widths_is_named():
    families = {"tiny": {"coefficient": "1/1000", "exponent": 1}}
    found = Sharpness.model_validate(changed("widths", "families", to=families))
    with pytest.raises(ValueError, match=r"sharpness\.widths\.families\.tiny: n_min = 1/1000 n is 0"):
        found.require_families("nearest")
    Sharpness.model_validate(SHARPNESS).require_families("nearest")
