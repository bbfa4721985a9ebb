"""Settings of receptive fields: what its jobs depend on, and what is refused."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.receptive_fields.settings import for_field_trials, for_fields
from dynparam.experiments.receptive_fields.stages import (
    EXPERIMENT,
    JUDGE,
    MEASURE,
    figures,
    measurements,
)
from dynparam.support.errors import ConfigError
from tests import fields


@pytest.mark.parametrize(
    ("key", "value"), [("trials", 4), ("seed", 1), ("noise", 0.1), ("radii", [0.2]), ("drawn.units", 9)]
)
def test_what_is_measured_changes_both(key, value):
    changed, plain = fields.whole({key: value}), fields.whole()
    assert for_field_trials(changed, fields.PAIR) != for_field_trials(plain, fields.PAIR)
    assert for_fields(changed) != for_fields(plain)


def test_a_pair_s_measurements_do_not_depend_on_the_other_pairs():
    alone, beside = (
        fields.whole({"pairs": pairs}) for pairs in ([fields.PAIR], ["bird-cat", fields.PAIR])
    )
    assert for_field_trials(alone, fields.PAIR) == for_field_trials(beside, fields.PAIR)
    assert list(for_field_trials(beside, "bird-cat").data.pairs) == ["bird-cat"]
    assert for_field_trials(beside, "bird-cat").receptive_fields.pairs == ("bird-cat",)


def test_stages_have_a_job_for_each_pair_and_read_all():
    whole = fields.whole(small=False)
    jobs = list(MEASURE.jobs(whole))
    assert jobs == [for_field_trials(whole, pair) for pair in ("airplane-automobile", "bird-cat")]
    assert list(JUDGE.jobs(whole)) == [for_fields(whole)]
    (parameter,) = [one for one in MEASURE.parameters if one.name == "pair"]
    assert tuple(parameter.names(whole)) == ("airplane-automobile", "bird-cat")
    (shown,) = figures(whole)
    assert shown.name == "companion_receptive_fields"
    assert shown.results == ("receptive_fields/airplane-automobile.csv", "receptive_fields/bird-cat.csv")
    places = measurements(for_fields(whole), fields.ROOT)
    assert places == {pair: fields.ROOT / f"receptive_fields/{pair}.csv" for pair in places}
    assert EXPERIMENT.name == "receptive_fields"


def test_an_unknown_pair_is_told_with_its_key():
    with pytest.raises(ConfigError, match=r"which receptive_fields\.pairs names"):
        for_field_trials(fields.whole({"pairs": ["cat-dog"]}), "cat-dog")
    with pytest.raises(ConfigError, match=r"no 'bird-cat' in receptive_fields\.pairs"):
        for_field_trials(fields.whole(), "bird-cat")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs": []}, "pairs"),
        ({"pairs": ["bird-cat", "bird-cat"]}, "pairs has one twice"),
        ({"samples": 13}, r"samples \(13\) is odd"),
        ({"test_samples": 13}, r"test_samples \(13\) is odd"),
        ({"drawn.images": 3}, r"drawn\.images \(3\) is odd"),
        ({"drawn.images": 14}, r"drawn\.images \(14\) exceeds samples \(12\)"),
        ({"samples": 0}, "samples"),
        ({"trials": 1}, "trials"),
        ({"grid": 0}, "grid"),
        ({"grid": 33}, "grid"),
        ({"grid": 2.5}, "grid"),
        ({"grid": True}, "grid is true"),
        ({"radii": []}, "radii"),
        ({"radii": [0.2, 0.1]}, "radii are not increasing"),
        ({"radii": [0.1, 0.1]}, "radii are not increasing"),
        ({"radii": [0]}, "radii"),
        ({"radii": [-0.1]}, "radii"),
        ({"radii": [11]}, "radii"),
        ({"radii": [float("nan")]}, "radii"),
        ({"correlation": 0}, "correlation"),
        ({"correlation": 0.1}, "correlation"),
        ({"correlation": float("inf")}, "correlation"),
        ({"ridge": 0}, "ridge"),
        ({"square": 0}, "square"),
        ({"square": 33}, "square"),
        ({"noise": 0}, "noise"),
        ({"drawn.units": 0}, "units"),
        ({"tolerances.exact": 0}, r"tolerances\.exact"),
        ({"figure": "Own figure"}, "figure"),
        ({"windows": 3}, "windows"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        fields.whole(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"square": 32},
        {"grid": 32},
        {"grid": 1},
        {"radii": [10]},
        {"correlation": 0.25},
        {"drawn.images": 12},
        {"samples": 10**4},
    ],
)
def test_bounds_are_allowed(changes):
    assert fields.whole(changes)
