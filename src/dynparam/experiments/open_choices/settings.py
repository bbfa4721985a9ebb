"""How the alternatives of the open choices are measured and shown."""

from __future__ import annotations

from pathlib import Path

from pydantic import (
    BaseModel,
    Field,
)

from dynparam.settings.base import Block, CurveName, Trials, pick
from dynparam.settings.shared import Comparison, Figures, Fit, Panels, Paths
from dynparam.settings.widths import Network
from dynparam.training.settings import Protocol
from dynparam.trials.settings import Probe


class OpenChoicesSettings(Block):
    """How the alternatives of ``config/open_choices.yaml`` are measured, and where their page goes."""

    trials: Trials = Field(
        description="trials per width of every alternative and of the default, on the law engine"
    )
    dense_trials: Trials = Field(
        description="the same on the dense engine, for alternatives that only it can tell apart"
    )
    page: Path = Field(description="the page of all entries")
    figure: CurveName = Field(description="figure of the changes of slopes")


class OpenChoicesStage(Block):
    """Blocks of ``compare_choices`` and ``plot_ledger``."""

    network: Network
    probe: Probe
    open_choices: OpenChoicesSettings
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures


class PageBlocks(Block):
    """Blocks that the page quotes besides the keys of its entries."""

    paths: Paths
    protocol: Protocol
    open_choices: OpenChoicesSettings
    fit: Fit
    comparison: Comparison


def for_open_choices(config: BaseModel) -> OpenChoicesStage:
    """What the changes of slopes, and their figure, depend on besides their trials."""
    whole = pick(OpenChoicesStage, config)
    return whole.model_copy(update={"figures": whole.figures.only(whole.figures.titles)})
