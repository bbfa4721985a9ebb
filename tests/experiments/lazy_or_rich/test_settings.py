"""What the jobs on lazy and rich training depend on, and which settings make no sense."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.lazy_or_rich.settings import for_laziness, for_linearization
from dynparam.support.errors import ConfigError
from tests.findings_run import CONFIG, configured
from tests.lazy import lazy
from tests.sweeps import grid


def test_images_depend_on_their_own_pair_alone():
    pairs = {"airplane-automobile": ["airplane", "automobile"], "bird-cat": ["bird", "cat"]}
    others = {**pairs, "deer-dog": ["deer", "dog"]}
    assert for_linearization(configured({"data.pairs": others})) == for_linearization(CONFIG)
    own = configured({"lazy_or_rich.linearization.pair": "bird-cat"})
    assert list(for_linearization(own).data.pairs) == ["bird-cat"]
    with pytest.raises(ValidationError, match=r"lazy_or_rich\.linearization\.pair names 'deer-dog'"):
        configured({"lazy_or_rich.linearization.pair": "deer-dog"})


def test_verdicts_depend_on_the_block_and_on_no_title():
    judged = for_laziness(CONFIG)
    assert judged.lazy_or_rich == CONFIG.lazy_or_rich
    assert judged.figures.titles == judged.figures.architecture == {}


def test_a_network_has_one_output_and_the_family_s_narrow_width():
    block = lazy()
    assert block.network("constant_ratio", 64, ("wide", "narrow", "wide")).sizes == (12, 64, 16, 64, 1)
    assert block.network("sharpening", 64, ("narrow", "wide")).sizes == (12, 16, 64, 1)
    with pytest.raises(ConfigError, match=r"no 'fifth' in lazy_or_rich.families"):
        block.rule("fifth")


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("kernel_change__r", [0, "5/8"], [0, "1/2"]),
        ("kernel_change__r", ["-1/8", 0], [0]),
        ("kernel_change__r", ["1/2", 0], [0, "1/4", "1/2"]),
        ("kernel_change__r", [0, 0], ["1/3"]),
        ("kernel_change__step", 2.5, 2.0),
        ("kernel_change__step", 0, 1e-3),
        ("kernel_change__until", 1, 0.99),
        ("kernel_change__until", 0, 0.01),
        ("kernel_change__samples", 1, 2),
        ("kernel_change__trials", 1, 2),
        ("kernel_change__hidden", [], ["wide"]),
        ("kernel_change__hidden", ["thin"], ["narrow"]),
        ("kernel_change__widths", {"sharpening": grid(16, 64, 2)}, None),
        ("linearization__hidden_layers", 0, 1),
        ("linearization__steps", 0, 1),
        ("linearization__train_images", 0, 1),
        ("linearization__kernel_slope", [-0.7, -1.15], [-1.0, -0.9]),
        ("linearization__kernel_slope", [-1, -1], None),
        ("linearization__discrepancy_slope", 0.1, -0.1),
        ("index__widths", grid(2, 64, 2), None),
        ("index__dense_widths", grid(2, 64, 2), None),
        (
            "kernel_change__widths",
            {"constant_ratio": grid(16, 64, 2), "sharpening": grid(2, 64, 2)},
            None,
        ),
        ("index__move", 0.2, 0.1),
        ("index__value_tolerance", 1, 0.5),
        ("identities__momenta", [1], [0.99]),
        ("identities__r", ["2/3"], ["1/2"]),
        ("identities__n_min", 21, 20),
        ("identities__n", 0, 6),
        ("inputs", 0, 1),
        ("inputs", 1.5, 2),
        ("families__sharpening", {"coefficient": 2, "exponent": 0}, None),
        ("families__sharpening", {"coefficient": 9, "exponent": "1/2"}, None),
    ],
)
def test_what_lies_beyond_a_limit_is_refused_and_the_limit_is_not(key, wrong, right):
    with pytest.raises(ValidationError, match=key.split("__")[-1]):
        lazy(**{key: wrong})
    if right is not None:
        lazy(**{key: right})
