"""Which runs there are, and what each depends on."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.settings import for_pair
from dynparam.settings.base import digest
from dynparam.support.errors import ConfigError
from dynparam.training.settings import (
    CollectedRun,
    NetworkSize,
    all_runs,
    for_audit,
    for_collection,
    for_run,
)

ROOT = Path(__file__).parents[2]
THESIS = load(Config, [ROOT / "config" / "thesis.yaml"])
MAIN = THESIS.protocol.network_name
OTHERS = {f"{size.n}-{size.n_min}": size for size in THESIS.domain.networks}
TASK = THESIS.domain.tasks[0]


@pytest.mark.parametrize("of", [for_run, for_audit, for_collection])
@pytest.mark.parametrize("network", OTHERS)
def test_a_run_of_the_domain_has_its_own_widths_and_epochs(of, network):
    """All else of the protocol, and all other blocks, are the thesis's."""
    size, epochs = OTHERS[network], THESIS.domain.epochs
    assert epochs != THESIS.protocol.epochs
    run = of(THESIS, TASK, network)
    assert (run.protocol.n, run.protocol.n_min, run.protocol.epochs) == (size.n, size.n_min, epochs)
    changed = {"n": size.n, "n_min": size.n_min, "epochs": epochs}
    assert run.protocol.model_dump() == THESIS.protocol.model_dump() | changed
    assert (run.inputs, run.network) == (THESIS.inputs, THESIS.network)


@pytest.mark.parametrize("of", [for_run, for_audit, for_collection])
@pytest.mark.parametrize("task", THESIS.data.pairs)
def test_a_run_of_the_thesis_has_its_protocol_and_its_own_pair_alone(of, task):
    run = of(THESIS, task, MAIN)
    assert run.protocol == THESIS.protocol
    assert run.data.pairs == {task: THESIS.data.pairs[task]}
    assert run.data.model_dump(exclude={"pairs"}) == THESIS.data.model_dump(exclude={"pairs"})


def test_an_audit_depends_on_its_limits_and_the_run_does_not():
    assert for_audit(THESIS, TASK, MAIN).training.audit == THESIS.training.audit
    assert set(type(for_run(THESIS, TASK, MAIN)).model_fields) == {
        "data",
        "inputs",
        "network",
        "protocol",
    }


@pytest.mark.parametrize("reuse", ["archive", "none"])
def test_collecting_depends_on_the_audit_of_archived_curves_alone(reuse):
    def collection(tolerance):
        training = {"reuse": reuse, "audit": {"tolerance": tolerance}}
        changed = load(Config, [ROOT / "config" / "thesis.yaml", json.dumps({"training": training})])
        return for_collection(changed, TASK, MAIN)

    first, second = collection(0.01), collection(0.02)
    assert (digest(first) == digest(second)) == (reuse == "none")
    # What a rule passes on is what the stage reads, and what is verified afterwards.
    assert digest(load(CollectedRun, [first.model_dump_json()])) == digest(first)


@pytest.mark.parametrize("of", [for_run, for_audit, for_collection])
def test_unknown_tasks_and_networks(of):
    with pytest.raises(ConfigError, match=r"no '7-3' in domain\.networks"):
        of(THESIS, TASK, "7-3")
    with pytest.raises(ConfigError, match=r"no 'cat-dog' in data\.pairs"):
        of(THESIS, "cat-dog", MAIN)


def test_all_runs_are_those_of_the_figures_and_of_the_domain():
    """Each with its own seeds, which differ; their names tell networks and draws of images apart."""
    found = all_runs(THESIS)
    every = range(THESIS.training.seeds)
    expected = {
        f"{task}/{name}": (task, MAIN, name, every, True, 0)
        for task in THESIS.figures.training.values()
        for name in THESIS.training.parametrizations
    } | {
        f"{task}/{size.n}-{size.n_min}{suffix}/{name}": (
            task,
            f"{size.n}-{size.n_min}{suffix}",
            name,
            range(first, first + size.seeds // size.draws),
            False,
            draw,
        )
        for task in THESIS.domain.tasks
        for size in THESIS.domain.networks
        for draw in range(size.draws)
        for suffix in (f".draw-{draw}" if draw else "",)
        for first in (draw * (size.seeds // size.draws),)
        for name in THESIS.training.parametrizations
    }
    assert {
        name: (run.task, run.network, run.parametrization, run.seeds, run.main, run.draw)
        for name, run in found.items()
    } == expected
    assert {run.place for run in found.values()} == {
        f"{task}/{network}/{name}" for task, network, name, *_ in expected.values()
    }
    figures = THESIS.figures.model_copy(update={"domain": None})
    alone = all_runs(THESIS.model_copy(update={"figures": figures}))
    assert set(alone) == {name for name, run in found.items() if run.main}


def test_draws_of_the_images_share_out_the_seeds_and_differ_in_the_data_alone():
    """A seed belongs to one draw; draw d's images have the seed d beyond that of the first."""
    size = NetworkSize(n=30, n_min=6, seeds=6, draws=3)
    assert [list(size.seeds_of(draw)) for draw in range(3)] == [[0, 1], [2, 3], [4, 5]]
    domain = THESIS.domain.model_copy(update={"networks": (size,)})
    config = THESIS.model_copy(update={"domain": domain})
    first, third = (for_run(config, TASK, name) for name in ("30-6", "30-6.draw-2"))
    assert third.data.seed == first.data.seed + 2
    assert third.model_copy(update={"data": first.data}) == first
    assert third.data == for_pair(config, TASK, 2).data
    runs = all_runs(config)
    assert runs[f"{TASK}/30-6.draw-2/dynamic"].images == f"{TASK}.draw-2"
    assert runs[f"{TASK}/30-6/dynamic"].images == TASK
    with pytest.raises(ConfigError, match=r"no '30-6\.draw-3' in domain\.networks"):
        for_run(config, TASK, "30-6.draw-3")


def test_seeds_that_draws_cannot_share_equally_are_refused():
    with pytest.raises(ValidationError, match=r"5 seeds cannot be shared equally by 2 draws"):
        NetworkSize(n=30, n_min=6, seeds=5, draws=2)
