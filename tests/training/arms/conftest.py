"""Arms at widths of some tens, on the invented images."""

import pytest

from dynparam.training.arms.settings import Arm, ArmsStage
from tests import arms
from tests.training_runs import run_values

VALIDATION = 8


def small_stage(rates=(0.05, 0.1), seeds=2, name="dynamic", **protocol):
    """Arms of some rates; ``protocol`` overrides keys of that block."""
    values = run_values(**{"initialization": None, "weight_decay": 0.0, "epochs": 2, **protocol})
    values["data"]["validation_images"] = VALIDATION
    own = [Arm(initialization=name, parametrization=name, learning_rate=rate) for rate in rates]
    return ArmsStage.model_validate({**values, "arms": own, "seeds": seeds})


@pytest.fixture
def planted_table():
    """A stage, and its planted table."""
    stage = small_stage()
    return stage, arms.planted(stage)
