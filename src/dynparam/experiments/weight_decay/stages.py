"""The stages."""

from __future__ import annotations

from dynparam.experiments.weight_decay.settings import tables
from dynparam.provenance.experiment import Experiment

EXPERIMENT = Experiment(
    name="weight_decay",
    title="Weight decay and the size of updates in training",
    source="eqs. 2.12 and 2.67",
    stages=(),
    arms=tables,
)
