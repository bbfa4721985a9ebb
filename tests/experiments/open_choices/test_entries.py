"""The entries of the open choices: they say what the configuration does, and nothing is left out."""

import json
from types import UnionType
from typing import Literal, get_args, get_origin

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dynparam.configuration.choices import chosen_config, is_seen, load_open_choices, trials_stage
from dynparam.configuration.config import Config
from dynparam.data import pairs, settings
from dynparam.experiments.open_choices.entries import DEFAULT, OpenChoices, written
from dynparam.provenance.code_digest import PACKAGE
from dynparam.settings.base import value_at
from dynparam.settings.shared import shown_curves
from dynparam.support.errors import ConfigError
from dynparam.training.settings import for_run
from tests import cifar10_archive
from tests.open_choices import CONFIG, ENTRIES, OPEN_CHOICES, ROOT

THESIS = yaml.safe_load((ROOT / "config" / "thesis.yaml").read_text())
OPEN_BLOCKS = ("data", "inputs", "probe", "protocol")
"""The blocks whose choices among named values are open points of the thesis."""

RECORDING = {"probe.twice"}
"""What says how much is recorded, and changes no number."""


def at(mapping, key):
    for part in key.split("."):
        mapping = mapping[part]
    return mapping


def options(key):
    """The values a key may have, if it is a choice among some; else nothing."""
    model = Config
    *path, last = key.split(".")
    for part in path:
        model = model.model_fields[part].annotation
    annotation = model.model_fields[last].annotation if hasattr(model, "model_fields") else None
    if annotation is bool:
        return {True, False}
    return set(get_args(annotation)) if get_origin(annotation) is Literal else set()


def values_of():
    return {key: value for entry in OPEN_CHOICES.entries() for key, value in entry.values.items()}


def test_every_default_is_that_of_the_thesis():
    stated = values_of()
    assert len(stated) > 15
    for key, value in stated.items():
        assert at(THESIS, key) == value, key


def test_every_option_of_a_covered_key_is_listed():
    """A new normalization, say, cannot be added to the blocks without an entry here."""
    covered = {key: options(key) for key in values_of() if options(key)}
    for key, expected in covered.items():
        listed = {at(THESIS, key)}
        for alternative in OPEN_CHOICES.alternatives():
            try:
                listed.add(at(alternative.overlay, key))
            except KeyError:
                continue
        assert listed == expected, key
    assert covered["inputs.normalization"] == set(get_args(settings.Normalization))


def test_every_choice_among_named_values_is_an_entry():
    choices = {
        f"{block}.{name}"
        for block in OPEN_BLOCKS
        for name in Config.model_fields[block].annotation.model_fields
        if options(f"{block}.{name}")
    }
    assert choices - RECORDING <= set(values_of())
    assert "probe.rounding" in choices


def test_options_see_the_choices_of_optional_keys():
    """No open key is optional now; if one becomes so, ``options`` has to look into the union."""
    for key in values_of():
        *path, last = key.split(".")
        model = Config
        for part in path:
            model = model.model_fields[part].annotation
        assert not isinstance(model.model_fields[last].annotation, UnionType), key


def test_named_modules_exist():
    modules = [module for entry in OPEN_CHOICES.entries() for module in entry.where]
    assert modules
    for module in modules:
        assert (PACKAGE / module).exists()


@pytest.mark.parametrize("name", [a.name for a in OPEN_CHOICES.alternatives() if a.overlay])
def test_every_overlay_is_a_configuration_that_differs(name):
    assert chosen_config(OPEN_CHOICES, CONFIG, name) != CONFIG


def test_default_is_the_configuration_itself():
    assert chosen_config(OPEN_CHOICES, CONFIG, DEFAULT) is CONFIG


def test_training_does_not_touch_the_probe():
    """The reason why the training's choices change no slope; the probe's measured ones are all seen."""
    for entry in OPEN_CHOICES.training:
        for alternative in entry.alternatives:
            chosen = chosen_config(OPEN_CHOICES, CONFIG, alternative.name)
            assert not is_seen(CONFIG, chosen)
            assert for_run(chosen, "bird-cat", "10000-500") != for_run(CONFIG, "bird-cat", "10000-500")
    assert all(
        is_seen(CONFIG, chosen_config(OPEN_CHOICES, CONFIG, name)) for name in OPEN_CHOICES.measured()
    )


def test_test_images_do_not_touch_training_images(tmp_path):
    """The reason given in the open choices for ``official_test_split``, on an invented archive."""
    hashes = cifar10_archive.write_archive(tmp_path / "archive.tar.gz", images_per_batch=40)
    cifar10_archive.unpack(tmp_path / "archive.tar.gz", tmp_path)
    images = []
    for name in (DEFAULT, "official_test_split", "train_on_test_split"):
        data = chosen_config(OPEN_CHOICES, CONFIG, name).data
        data = data.model_copy(update={"train_images": 4, "test_images": 4})
        pairs.extract_pair(tmp_path, "bird-cat", data, tmp_path / f"{name}.npz", hashes)
        with np.load(tmp_path / f"{name}.npz") as arrays:
            images.append((arrays["train_images"], arrays["test_images"]))
    assert (images[0][0] == images[1][0]).all()
    assert (images[0][1] != images[1][1]).any()
    assert (images[0][0] != images[2][0]).any()


def test_a_configuration_may_choose_an_alternative():
    """A user who takes x/255 has chosen what is an alternative here; nothing is wrong."""
    inputs = CONFIG.inputs.model_copy(update={"normalization": "unit_range"})
    config = CONFIG.model_copy(update={"inputs": inputs})
    open_choices = load_open_choices(ENTRIES, config)
    assert chosen_config(open_choices, config, "unit_range") == config


def test_stage_of_trials():
    stage = trials_stage(CONFIG, "law")
    assert list(stage.probe.curves) == shown_curves(CONFIG.panels)
    assert stage.probe.trials == CONFIG.open_choices.trials
    assert trials_stage(CONFIG, "dense").probe.trials == CONFIG.open_choices.dense_trials
    assert list(stage.data.pairs) == [CONFIG.probe.pair]


@given(
    st.one_of(
        st.integers(),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text("abc_", min_size=1),
        st.lists(st.integers(), max_size=40),
        st.dictionaries(st.text("abc", min_size=1), st.integers(), max_size=3),
    )
)
def test_written_values_are_read_back(value):
    text = written(value)
    assert "\n" not in text
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nearest", "nearest"),
        (0.1, "0.1"),
        (True, "true"),
        (None, "null"),
        ([5, 100], "[5, 100]"),
        ({"b": 1, "a": [2]}, "{b: 1, a: [2]}"),
        (["a long word"] * 20, f"[{', '.join(['a long word'] * 20)}]"),
    ],
)
def test_values_are_written_on_one_line_in_their_own_order(value, text):
    assert written(value) == text


def entry(**changes):
    stated = {"point": "rounding", "thesis": "not stated", "choice": "nearest"}
    return stated | {"values": {"probe.rounding": "nearest"}} | changes


def floor(**changes):
    stated = {"name": "floor", "description": "down", "overlay": {"probe": {"rounding": "floor"}}}
    return {"alternatives": [stated | changes]}


def control(**overlay):
    return {"name": "nothing", "description": "a control", "overlay": overlay}


@pytest.mark.parametrize(
    ("controls", "sentence"),
    [
        ([control(probe={"rounding": "floor"})], "training does not read what nothing changes"),
        ([control(training={"seeds": 7})], "nothing changes no training curve, because open_choices"),
        ([control(protocol={"epochs": 200})], "nothing changes no training curve, because open_choices"),
        ([control(protocol={"n": 500, "n_min": 5})], "nothing changes no training curve"),
        ([control(protocol={"momentum": 2})], "'protocol.momentum' has the value"),
        ([control(protocol={"moment": 0})], "'nothing' of the open choices: unknown key"),
        ([control()], "nothing needs an overlay to be measured"),
        ([control(protocol={"momentum": 0})] * 2, "two alternatives are named 'nothing'; rename one"),
        ([control(protocol={"momentum": 0}) | {"name": DEFAULT}], "cannot be named 'default'"),
    ],
)
def test_wrong_controls_are_named(tmp_path, controls, sentence):
    path = tmp_path / "open_choices.yaml"
    path.write_text(json.dumps({"probe": [], "training": [], "controls": controls}))
    with pytest.raises(ConfigError, match=sentence):
        load_open_choices(path, CONFIG)


def test_a_control_and_an_alternative_cannot_share_a_name(tmp_path):
    path = tmp_path / "open_choices.yaml"
    twin = control(protocol={"momentum": 0}) | {"name": "floor"}
    path.write_text(json.dumps({"probe": [entry(**floor())], "training": [], "controls": [twin]}))
    with pytest.raises(ConfigError, match="two alternatives are named 'floor'; rename one"):
        load_open_choices(path, CONFIG)


def test_what_is_trained_is_what_training_reads():
    """The default, every such alternative, and the controls last; nothing that only the probe reads."""
    needed = OPEN_CHOICES.needed_curves()
    assert needed[0] == DEFAULT
    assert needed[-1] == "same_parametrization"
    assert len(set(needed)) == len(needed)
    network = CONFIG.protocol.network_name
    for one in OPEN_CHOICES.alternatives():
        chosen = chosen_config(OPEN_CHOICES, CONFIG, one.name)
        reads = for_run(chosen, "bird-cat", network) != for_run(CONFIG, "bird-cat", network)
        assert (one.name in needed) == reads, one.name


@pytest.mark.parametrize(
    ("probe", "training", "sentence"),
    [
        ([entry(values={"probe.roundin": 1})], [], "the open choices name 'probe.roundin', which no"),
        ([entry(values={"probe.rounding.x": 1})], [], "the open choices name 'probe.rounding.x'"),
        ([entry(**floor()), entry(**floor())], [], "two alternatives are named 'floor'; rename one"),
        ([entry(**floor(overlay={}))], [], "floor needs an overlay to be measured, or a reason"),
        ([entry(**floor(name=DEFAULT))], [], "an alternative cannot be named 'default'"),
        ([entry(**floor(overlay={"probe": {"rounding": "up"}}))], [], "'probe.rounding' has the value"),
        (
            [entry(**floor(overlay={"probe": {"round": "up"}}))],
            [],
            "'floor' of the open choices: unknown key",
        ),
        ([entry(**floor(overlay={"protocol": {"momentum": 0}}))], [], "the probe does not see floor"),
        ([], [entry(**floor())], "the probe sees floor; list it there"),
        ([entry(point="a|b")], [], "'probe.0.point' has the value 'a|b'"),
        ([entry(key="x")], [], "unknown key 'probe.0.key'; known keys here"),
    ],
)
def test_wrong_choices_are_named(tmp_path, probe, training, sentence):
    path = tmp_path / "open_choices.yaml"
    path.write_text(json.dumps({"probe": probe, "training": training}))
    with pytest.raises(ConfigError, match=sentence):
        load_open_choices(path, CONFIG)


def test_right_choices_are_read(tmp_path):
    path = tmp_path / "open_choices.yaml"
    path.write_text(json.dumps({"probe": [entry(**floor())], "training": []}))
    assert list(load_open_choices(path, CONFIG).measured()) == ["floor"]


def test_unknown_alternative_is_named():
    with pytest.raises(
        ConfigError, match="no alternative 'ceiling' among the open choices; choose one of unit_"
    ):
        chosen_config(OPEN_CHOICES, CONFIG, "ceiling")


def test_value_at_reads_the_configuration_in_use():
    assert value_at(CONFIG, "probe.widths") == {"smallest": 1000, "largest": 10000, "count": 10}
    assert OpenChoices.model_validate(yaml.safe_load(ENTRIES.read_text())) == OPEN_CHOICES
