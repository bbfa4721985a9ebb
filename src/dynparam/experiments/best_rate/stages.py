"""The stages."""

from __future__ import annotations

from dynparam.experiments.best_rate.settings import tables
from dynparam.provenance.experiment import Experiment

EXPERIMENT = Experiment(
    name="best_rate",
    title="Each parametrization at its own best learning rate",
    source="Sec. 3.3; footnote on layerwise rates",
    stages=(),
    arms=tables,
)
