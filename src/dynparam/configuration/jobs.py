"""Every job's settings under a configuration: what a sidecar's digest is looked up among."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynparam.configuration.choices import chosen_config, trials_stage
from dynparam.configuration.config import Config, FindingsStage, for_findings
from dynparam.configuration.loading import build
from dynparam.data.settings import DataStage, SourceStage, for_pair, for_source
from dynparam.experiments.alignments.settings import (
    ComparisonStage,
    FigureStage,
    FitStage,
    WideFigureStage,
    for_comparison,
    for_exact,
    for_figure,
    for_fit,
    for_wide,
    for_wide_figure,
)
from dynparam.experiments.architecture.settings import ArchitectureStage, for_architecture
from dynparam.experiments.measured_orders.settings import ExponentsStage, for_exponents, for_orders
from dynparam.experiments.open_choices.entries import OpenChoices
from dynparam.experiments.open_choices.settings import OpenChoicesStage, for_open_choices
from dynparam.experiments.r_sweep.settings import EdgesStage, SweepStage, for_edges, for_sweep
from dynparam.experiments.training_curves.settings import ClaimsStage, for_claims
from dynparam.settings.base import Block, differences, digest
from dynparam.training.settings import AuditStage, RunStage, all_runs, for_run
from dynparam.trials.settings import ProbeStage, for_curve

STAGES = (
    SourceStage,
    DataStage,
    ProbeStage,
    FitStage,
    ComparisonStage,
    FigureStage,
    WideFigureStage,
    OpenChoicesStage,
    FindingsStage,
    ExponentsStage,
    SweepStage,
    EdgesStage,
    ArchitectureStage,
    RunStage,
    AuditStage,
    ClaimsStage,
)


class ConfiguredStages:
    """The settings of all jobs that a configuration asks for."""

    def __init__(self, config: Config, open_choices: OpenChoices) -> None:
        """``open_choices`` holds the alternatives that jobs of the open choices run under."""
        self._dumps = {
            digest(block): block.model_dump(mode="json") for block in _all_stages(config, open_choices)
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


def _all_stages(config: Config, open_choices: OpenChoices) -> Iterator[Block]:
    yield config
    # A command that is run by hand is given the whole configuration, and takes whole blocks of it.
    values = config.model_dump(mode="json")
    for stage in STAGES:
        yield build(stage, values, "configuration")
    yield from (for_source(config), for_fit(config), for_comparison(config), for_claims(config))
    yield from (for_open_choices(config), for_findings(config), for_orders(config), for_edges(config))
    for pair in config.data.pairs:
        yield for_pair(config, pair)
    for curve in config.probe.curves:
        yield from (for_curve(config, curve), for_exact(config, curve), for_wide(config, curve))
    for parametrization in config.exponents.parametrizations:
        for family in config.exponents.families:
            yield for_exponents(config, parametrization, family)
    yield from (for_sweep(config, reference) for reference in config.sweep.references)
    yield from (for_figure(config, figure) for figure in config.panels)
    yield from (for_wide_figure(config, figure) for figure in config.law.figures)
    yield from (for_architecture(config, figure) for figure in config.figures.architecture)
    yield from (for_run(config, run.task, run.network) for run in all_runs(config).values())
    for choice, engine in open_choices.needed_trials():
        chosen = chosen_config(open_choices, config, choice)
        yield from (trials_stage(chosen, engine), for_pair(chosen, chosen.probe.pair))
