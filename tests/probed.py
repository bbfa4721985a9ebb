"""A small experiment on networks looked at while they train, that tests share."""

from typing import Any

from dynparam.data.images import Pair
from dynparam.experiments.through_training.measure import Subject
from dynparam.experiments.through_training.settings import ThroughRun
from tests.training_runs import TASK, invented_pair, run_values

PROBES = {"seed": 0, "images": 8, "every_epochs": 2}


def run_settings(probes: dict[str, Any] | None = None, **changes: Any) -> ThroughRun:
    """Settings of a run at widths of some tens; takes the arguments of ``run_values``."""
    through = {"probes": PROBES | (probes or {})}
    return ThroughRun.model_validate(run_values(**changes) | {"through_training": through})


def subject(name: Any = "dynamic", pair: Pair | None = None, **changes: Any) -> Subject:
    """Its networks, on invented images."""
    return Subject(run_settings(**changes), TASK, name, pair or invented_pair())


def nobody(amount: float, note: str = "") -> None:
    """Progress that nobody is told of."""
