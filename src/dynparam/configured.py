"""Every job's settings under a configuration: what a sidecar's digest is looked up among."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from dynparam import config_stages
from dynparam.blocks import Block
from dynparam.config import Config, differences, digest
from dynparam.ledger import Ledger, trials_stage
from dynparam.loading import build


class ConfiguredStages:
    """The settings of all jobs that a configuration asks for."""

    def __init__(self, config: Config, ledger: Ledger) -> None:
        """``ledger`` holds the alternatives that jobs of the ledger run under."""
        self._dumps = {
            digest(block): block.model_dump(mode="json") for block in _all_stages(config, ledger)
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


def _all_stages(config: Config, ledger: Ledger) -> Iterator[Block]:
    yield config
    # A command that is run by hand is given the whole configuration, and takes whole blocks of it.
    values = config.model_dump(mode="json")
    for _, stage in inspect.getmembers(config_stages, _is_stage):
        yield build(stage, values, "configuration")
    yield from (config.for_source(), config.for_fit(), config.for_comparison(), config.for_claims())
    yield from (config.for_ledger(), config.for_findings(), config.for_orders(), config.for_edges())
    for pair in config.data.pairs:
        yield config.for_pair(pair)
    for curve in config.probe.curves:
        yield from (config.for_curve(curve), config.for_exact(curve), config.for_wide(curve))
    for parametrization in config.exponents.parametrizations:
        for family in config.exponents.families:
            yield config.for_exponents(parametrization, family)
    yield from (config.for_sweep(reference) for reference in config.sweep.references)
    yield from (config.for_figure(figure) for figure in config.panels)
    yield from (config.for_wide_figure(figure) for figure in config.law.figures)
    yield from (config.for_architecture(figure) for figure in config.figures.architecture)
    yield from (config.for_run(run.task, run.network) for run in config.runs().values())
    for choice, engine in ledger.needed_trials():
        chosen = ledger.chosen(config, choice)
        yield from (trials_stage(chosen, engine), chosen.for_pair(chosen.probe.pair))


def _is_stage(member: object) -> bool:
    return inspect.isclass(member) and issubclass(member, Block) and member.__name__.endswith("Stage")
