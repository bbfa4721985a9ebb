"""Every job's settings and every stage's code: what a sidecar's digests are looked up among."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dynparam.configuration.arms import arms_jobs
from dynparam.configuration.choices import chosen_config, trials_stage
from dynparam.configuration.config import Config
from dynparam.data.settings import for_pair
from dynparam.experiments.open_choices.entries import OpenChoices
from dynparam.experiments.open_choices.settings import for_choice_run
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.stage import Stage
from dynparam.settings.base import Block, differences, digest, pick


class ConfiguredStages:
    """The settings of all jobs that a configuration asks for, and the code of their stages."""

    def __init__(self, config: Config, choices: OpenChoices, stages: Mapping[str, Stage[Any]]) -> None:
        """``choices`` are the alternatives that jobs run under, ``stages`` those of the workflow."""
        self._stages = stages
        self._dumps = {
            digest(block): block.model_dump(mode="json")
            for block in _all_settings(config, choices, stages.values())
        }

    def has(self, config_sha256: str) -> bool:
        """Whether a job of this configuration has these settings."""
        return config_sha256 in self._dumps

    def differences(self, recorded: Mapping[str, Any]) -> list[str]:
        """How ``recorded`` differs from the likest settings of the same blocks; empty if there are none.

        Each as ``fit.resamples: 99, here 9999``.
        """
        found = [
            differences(recorded, dump)
            for dump in self._dumps.values()
            if dump.keys() == recorded.keys()
        ]
        return min(found, key=len, default=[])

    def code_digest(self, stage: str) -> str | None:
        """The digest of the present code of a stage; ``None`` if there is none of that name."""
        return self._stages[stage].digest() if stage in self._stages else None


def _all_settings(config: Config, choices: OpenChoices, stages: Iterable[Stage[Any]]) -> Iterator[Block]:
    yield config
    for stage in stages:
        # A command that is run by hand is given the whole configuration, and takes whole blocks of it.
        if stage.settings.model_fields.keys() <= Config.model_fields.keys():
            yield pick(stage.settings, config)
        yield from stage.jobs(config)
    for experiment in EXPERIMENTS:
        yield from experiment.borrowed(config)
    yield from arms_jobs(config)
    for choice, engine in choices.needed_trials():
        chosen = chosen_config(choices, config, choice)
        yield from (trials_stage(chosen, engine), for_pair(chosen, chosen.probe.pair))
    for choice in choices.needed_curves():
        chosen = chosen_config(choices, config, choice)
        yield from (for_choice_run(chosen), for_pair(chosen, chosen.open_choices.training.task))
