"""Settings: what each stage depends on, and what is refused in one sentence."""

import pytest
from pydantic import ValidationError

from dynparam.configuration.config import Config
from dynparam.experiments.through_training.settings import (
    ThroughTraining,
    for_through_audit,
    for_through_collection,
    for_through_run,
    probed_runs,
)
from dynparam.settings.base import digest
from dynparam.support.errors import ConfigError
from tests.probed import run_settings
from tests.thesis import CONFIG, with_block

BLOCK = CONFIG.through_training.model_dump(mode="json")
TASK, NETWORK = "bird-cat", "1000-50"

BAD = {
    "an odd number of images": ({"probes": {"images": 201}}, "is odd, but both classes have equal"),
    "narrow layers are the wider": (
        {"networks": [{"n": 10, "n_min": 20, "seeds": 2}]},
        r"n_min \(20\) exceeds n \(10\)",
    ),
    "a task twice": ({"tasks": [TASK, TASK]}, "tasks has one twice; list each once"),
    "a network twice": (
        {"networks": [{"n": 10, "n_min": 2, "seeds": s} for s in (1, 2)]},
        "networks has one twice",
    ),
    "a parametrization twice": ({"parametrizations": ["ntk", "ntk"]}, "parametrizations has one twice"),
    "no image": ({"probes": {"images": 0}}, "greater than or equal to 4"),
}


@pytest.mark.parametrize(("change", "why"), BAD.values(), ids=BAD.keys())
def test_bad_settings_are_refused(change, why):
    values = BLOCK | {
        key: BLOCK[key] | value if isinstance(value, dict) else value for key, value in change.items()
    }
    with pytest.raises(ValidationError, match=why):
        ThroughTraining.model_validate(values)


def test_more_images_than_there_are_to_train_on_are_refused():
    with pytest.raises(
        ValidationError, match=r"through_training.probes.images \(24\) exceeds data.train"
    ):
        run_settings({"images": 24})


def test_tasks_are_pairs_of_the_data():
    with pytest.raises(ValidationError, match=r"through_training\.tasks names 'cat-dog'"):
        with_block("through_training", tasks=["cat-dog"])


def test_all_runs_have_their_place():
    places = [runs.place for runs in probed_runs(CONFIG.through_training)]
    assert len(places) == len(set(places)) == 8
    assert f"{TASK}/{NETWORK}/dynamic" in places


def test_a_run_depends_on_its_own_network_alone():
    run = for_through_run(CONFIG, TASK, NETWORK)
    protocol = run.protocol
    assert (protocol.n, protocol.n_min, protocol.epochs) == (1000, 50, BLOCK["epochs"])
    assert list(run.data.pairs) == [TASK]
    others = with_block(
        "through_training",
        networks=[{"n": 1000, "n_min": 50, "seeds": 9}],
        audit={"seed": 1, "steps": 2, "tolerance": 0.5},
        figure="own",
    )
    assert digest(for_through_run(others, TASK, NETWORK)) == digest(run)
    probed = with_block("through_training", probes=BLOCK["probes"] | {"images": 100})
    assert digest(for_through_run(probed, TASK, NETWORK)) != digest(run)


def test_an_audit_depends_on_its_limits():
    limits = for_through_audit(CONFIG, TASK, NETWORK)
    assert limits.through_training.audit == CONFIG.through_training.audit


@pytest.mark.parametrize(("reuse", "limited"), [("archive", True), ("none", False)])
def test_collecting_depends_on_the_audit_if_there_is_one(reuse, limited):
    config = with_block("training", reuse=reuse)
    found = for_through_collection(config, TASK, NETWORK)
    assert (found.through_training.audit is not None) is limited


def test_a_network_that_is_none_is_told():
    with pytest.raises(ConfigError, match=r"there is no '7-7' in through_training.networks; choose one"):
        for_through_run(CONFIG, TASK, "7-7")


def test_every_key_is_stated_and_described():
    described = ThroughTraining.model_json_schema()["properties"]
    assert set(BLOCK) == set(described)
    assert isinstance(CONFIG, Config)
