"""Where claims are judged, and which of these places count."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.training_curves.settings import Claims, for_claims
from tests.findings_run import CONFIG, configured


def claims(*, epochs=(5, 100, 20), primary=(), jump=0.2):
    return Claims(epochs=epochs, primary=primary, jump=jump)


@pytest.mark.parametrize(
    ("column", "more"),
    [
        ("train_loss", ["jumps"]),
        ("test_loss", ["best"]),
        ("train_accuracy", []),
        ("test_accuracy", ["best"]),
    ],
)
def test_the_best_epoch_is_one_of_the_test_images_and_jumps_are_of_the_training_loss(column, more):
    chosen = claims()
    assert list(chosen.places(column)) == ["epoch 5", "epoch 100", "epoch 20", "area", *more]
    assert [name for name in chosen.metrics if name.startswith(f"{column} ")] == [
        f"{column} {place}" for place in chosen.places(column)
    ]


@pytest.mark.parametrize("epochs", [(5, 100, 20), (100, 5), (5, 100)])
def test_the_last_place_is_the_largest_epoch_wherever_it_stands(epochs):
    chosen = claims(epochs=epochs, primary=("test_loss last", "train_loss area", "test_loss epoch 5"))
    assert chosen.endpoints == ("test_loss epoch 100", "train_loss area", "test_loss epoch 5")
    assert set(chosen.endpoints) < set(chosen.metrics)


@pytest.mark.parametrize(
    "name",
    [
        "train_loss best",
        "test_loss jumps",
        "train_accuracy best",
        "test_loss epoch 6",
        "loss area",
        "last",
    ],
)
def test_what_is_not_compared_cannot_count(name):
    with pytest.raises(ValidationError, match=f"claims.primary names '{name}', which is not compared"):
        claims(primary=("train_loss area", name))


@pytest.mark.parametrize("jump", [0, -0.1, 1000.5, float("nan")])
def test_a_jump_is_a_rise(jump):
    with pytest.raises(ValidationError, match="jump"):
        claims(jump=jump)
    assert claims(jump=1000).jump == 1000


def test_claims_depend_on_their_runs_and_on_no_title():
    judged = for_claims(CONFIG)
    assert (judged.claims, judged.protocol) == (CONFIG.claims, CONFIG.protocol)
    assert judged.figures.training == CONFIG.figures.training
    assert judged.figures.titles == judged.figures.architecture == {}
    for changes in ({"training.seeds": 7}, {"claims.jump": 0.5}, {"domain.epochs": 20}):
        assert for_claims(configured(changes)) != judged
    for changes in ({"training.reuse": "none"}, {"probe.trials": 7}):
        assert for_claims(configured(changes)) == judged
