"""What settings of sharpness are refused, and in which words."""

import pytest
from pydantic import ValidationError

from dynparam.data.settings import Data
from dynparam.experiments.sharpness.settings import (
    NormalizationPart,
    Sharpness,
    for_normalization,
    for_rates,
    for_verdicts,
    for_widths,
)
from tests.experiments.sharpness.small import DATA, SHARPNESS
from tests.findings_run import CONFIG, configured


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
        (("parametrizations",), ["lecun"], "Input should be 'ntk'"),
        (("parametrizations",), [], "at least 1 item"),
        (("families",), {}, "at least 1 item"),
        (("normalization", "outputs"), 2, "greater than or equal to 8"),
        (("normalization", "widths"), [40, 20], "widths must increase"),
        (("normalization", "widths"), [20, 20], "widths must increase"),
        (("normalization", "widths"), [2, 20], "widths must increase from 3"),
        (("normalization", "widths"), [20], "at least 2 items"),
        (("normalization", "layers"), 1, "greater than or equal to 2"),
        (("normalization", "fixed_images"), 2, "greater than or equal to 3"),
        (("normalization", "fixed_widths"), [40, 20], "fixed_widths must increase"),
        (("thesis", "window"), 1000, "window .* leaves fewer than two"),
        (
            ("thesis",),
            {
                **SHARPNESS["thesis"],
                "window": 10**6,
                "widths": {"smallest": 1000, "largest": 10**7, "count": 4},
            },
            "fewer than two n in its last decade",
        ),
        (("tolerances", "slope"), 0, "greater than 0"),
        (("rates", "steps"), 1, "greater than or equal to 10"),
        (("rates", "n"), [0], "greater than 0"),
    ],
)
def test_bad_settings_name_the_key_and_the_remedy(path, to, words):
    with pytest.raises(ValidationError, match=words):
        Sharpness.model_validate(changed(*path, to=to))


@pytest.mark.parametrize(
    ("path", "to", "words"),
    [
        (
            ("families",),
            {"tiny": {"coefficient": "1/1000", "exponent": 1}},
            r"sharpness\.families\.tiny at sharpness\.widths: n_min = 1/1000 n is 0",
        ),
        (("rates", "n"), [2], r"families\.sharpening at sharpness\.rates\.n: .* is 4 at n = 2"),
        (
            ("thesis", "families"),
            {"wide": {"coefficient": 2, "exponent": 1}},
            r"sharpness\.thesis\.families\.wide: n_min = 2 n",
        ),
        (("widths", "images"), 62, r"sharpness\.widths\.images \(62\) exceeds .* \(60\)"),
        (("rates", "images"), 13, r"sharpness\.rates\.images \(13\) is odd, but data\.stratified"),
        (("thesis", "images"), 100, r"sharpness\.thesis\.images \(100\) exceeds"),
    ],
)
def test_what_there_is_not_is_named(path, to, words):
    found = Sharpness.model_validate(changed(*path, to=to))
    with pytest.raises(ValueError, match=words):
        found.require_possible(Data.model_validate(DATA))


def test_what_there_is_is_possible():
    """What an odd number of images lacks is there where classes need not be equally many."""
    odd = Sharpness.model_validate(changed("rates", "images", to=13))
    unequal = Data.model_validate({**DATA, "stratified": False})
    assert Sharpness.model_validate(SHARPNESS).require_possible(Data.model_validate(DATA)) is None
    assert odd.require_possible(unequal) is None
    with pytest.raises(ValueError, match="is odd"):
        odd.require_possible(Data.model_validate(DATA))


@pytest.mark.parametrize(
    ("of", "own"),
    [
        (for_widths, {"widths", "thesis"}),
        (for_rates, {"rates"}),
        (lambda config, pair: for_normalization(config), {"normalization"}),
    ],
)
def test_a_measurement_depends_on_its_own_part_alone(of, own):
    """Another trial of one, or a tolerance, repeats no other."""
    parts = {"widths", "thesis", "rates", "normalization", "tolerances"}
    stage = of(CONFIG, "airplane-automobile")
    found = stage.sharpness.model_dump()
    assert set(found) & parts == own
    assert found["seed"] == CONFIG.sharpness.seed
    again = type(stage).model_validate_json(stage.model_dump_json())
    assert again == stage, "as the workflow passes it on"


def test_a_key_that_no_measurement_has_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        NormalizationPart.model_validate({**SHARPNESS, "own": 1})


@pytest.mark.parametrize("of", [for_widths, for_rates])
def test_measurements_on_images_depend_on_their_own_pair_alone(of):
    pairs = {"airplane-automobile": ["airplane", "automobile"], "bird-cat": ["bird", "cat"]}
    both = configured({"data.pairs": {**pairs, "deer-dog": ["deer", "dog"]}})
    for pair in pairs:
        assert list(of(both, pair).data.pairs) == [pair]
    assert of(both, "bird-cat") == of(CONFIG, "bird-cat")


def test_verdicts_depend_on_no_title_of_another_figure():
    found = for_verdicts(CONFIG)
    assert found.sharpness == CONFIG.sharpness
    assert found.figures.titles == found.figures.architecture == {}
