"""The tables of arms that a configuration asks for, of all experiments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.configuration.config import Config
from dynparam.data.settings import for_pair
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.settings.base import Block, pick
from dynparam.training.arms.settings import ArmsStage, AuditedArms
from dynparam.training.settings import AuditLimits


def all_arms(config: Config) -> dict[str, ArmsStage]:
    """Every table of arms by its place: ``best_rate/bird-cat/1000-50/spectral``."""
    return {place: stage for experiment in EXPERIMENTS for place, stage in experiment.arms(config)}


def for_arms_audit(config: Config, stage: ArmsStage) -> AuditedArms:
    """What auditing and collecting a table depend on: its arms, and the limits of audits."""
    limits = pick(AuditLimits, config.training)
    values = {name: getattr(stage, name) for name in ArmsStage.model_fields}
    return AuditedArms(**values, training=limits)


def arms_jobs(config: Any) -> Iterator[Block]:
    """The settings of all jobs around tables of arms: images, training, audits, collections."""
    for stage in all_arms(config).values():
        yield stage
        yield for_arms_audit(config, stage)
        yield for_pair(config, stage.task)
