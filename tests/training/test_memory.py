"""The memory a run needs, measured in a process of its own, against the estimate."""

import json
from pathlib import Path

import pytest

from dynparam.training.protocol import checkpoint_bytes, memory_bytes
from tests.fresh_process import needs_proc, printed
from tests.training_runs import run_stage

ROOT = Path(__file__).parents[2]

MEASURE = """
import json, sys
import torch
from dynparam.training.runs import train_seeds
from dynparam.training.protocol import memory_bytes
from tests.training_runs import files_of, invented_pair, plan_of, run_stage

def train(stage):
    train_seeds(plan_of(stage), [0], invented_pair(), files_of(Path(sys.argv[1]), stage))

torch.set_num_threads(1)
for changes in json.loads(sys.argv[2]):
    changes = {**changes, "epochs": 2, "batch_size": 20}
    train(run_stage(**{**changes, "n": 10, "n_min": 5}))
    stage = run_stage(**changes)
    with Grown() as grown:
        train(stage)
    print(grown.bytes, memory_bytes(stage, 1))
"""


MEASURED = [
    {"n": 1500, "n_min": 75},
    {"n": 1600, "n_min": 75, "first_layer": "primal", "products": "bfloat16"},
    {"n": 2000, "n_min": 400, "dtype": "float64"},
    {"n": 2500, "n_min": 10, "dtype": "float64", "hidden": ["wide", "narrow"]},
]


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """Measured and estimated bytes of each of ``MEASURED``, from a process of their own."""
    lines = printed(MEASURE, str(tmp_path_factory.mktemp("m")), json.dumps(MEASURED)).splitlines()
    return [tuple(map(int, line.split())) for line in lines]


@needs_proc
@pytest.mark.parametrize("case", range(len(MEASURED)))
def test_memory_is_estimated_from_above(memory, case):
    """Peak of a process over what it holds after a tiny run, and by no more than a factor of four."""
    measured, estimated = memory[case]
    assert measured <= estimated < 4 * measured


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float64", 8)])
@pytest.mark.parametrize("stack", [1, 3])
def test_rounded_products_need_a_copy_of_all_that_is_trained(first_layer, dtype, size, stack):
    """Two bytes of bfloat16 for each trained number of each network, and no less of anything else."""
    changes = {"first_layer": first_layer, "dtype": dtype, "n": 300, "n_min": 20}
    exact, rounded = (run_stage(**changes, products=name) for name in ("exact", "bfloat16"))
    trained = checkpoint_bytes(exact) // (2 * size)  # weights and velocities
    assert memory_bytes(rounded, stack) >= memory_bytes(exact, stack) + stack * 2 * trained


def test_every_network_of_a_stack_needs_its_weights_and_velocities():
    stage = run_stage(n=300, n_min=20)
    for stack in (1, 2, 5):
        more = memory_bytes(stage, stack + 1) - memory_bytes(stage, stack)
        assert more >= checkpoint_bytes(stage)
