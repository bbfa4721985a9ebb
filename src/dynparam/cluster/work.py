"""What an experiment takes: the measured time and memory of all its jobs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from dynparam.cluster.requests import Needs
from dynparam.provenance.stage import Stage


class Work(NamedTuple):
    """The jobs of some stages.

    Attributes:
        jobs: how many there are.
        seconds: processor time of all of them, one after another.
        mem_mb: memory of the largest one.
    """

    jobs: int
    seconds: float
    mem_mb: int


def work(stages: Iterable[Stage[Any]], config: Any, needs: Needs) -> Work:
    """The jobs of stages under a configuration, each taken to be as large as the largest of its rule.

    Raises ``ConfigError`` if a rule was not measured.
    """
    counted = {stage.name: job_count(stage, config) for stage in stages}
    measured = {name: needs.of(name) for name in counted}
    seconds = sum(count * measured[name].seconds for name, count in counted.items())
    return Work(sum(counted.values()), seconds, max(one.mem_mb for one in measured.values()))


def job_count(stage: Stage[Any], config: Any) -> int:
    """How many jobs a stage has: one for each choice among the names in the configuration it takes."""
    return math.prod(len(list(one.names(config))) for one in stage.parameters if one.names)
