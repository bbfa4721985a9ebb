"""How the alternatives of the open choices are measured and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    model_validator,
)

from dynparam.settings.base import (
    Block,
    CurveName,
    DenseWidth,
    Epochs,
    PairName,
    Seeds,
    Trials,
    pick,
)
from dynparam.settings.shared import Comparison, Figures, Fit, Panels, Paths
from dynparam.settings.widths import Network, Parametrizations
from dynparam.training.settings import ACCURACIES, Protocol, RunStage
from dynparam.trials.settings import Probe

Endpoint = Annotated[str, Field(pattern=r"^(train|test)_(loss|accuracy) (area|last|best)$")]
"""A column of the curves and where on them: ``train_loss area``, ``test_loss last``."""


class ChoiceCurves(Block):
    """How alternatives are measured on training curves: both parametrizations trained under each."""

    task: PairName = Field(description="a pair of data.pairs")
    n: DenseWidth = Field(description="width of the wide hidden layers, up to 10^6")
    n_min: DenseWidth = Field(description="width of the narrow hidden layers, at most n")
    seeds: Seeds = Field(
        description="runs of each parametrization under each alternative, 2 to 10^6; all alternatives "
        "have the same"
    )
    epochs: Epochs = Field(description="up to 10^6")
    endpoints: tuple[Endpoint, ...] = Field(
        min_length=1,
        max_length=12,
        description="what conclusions rest on: a column of the curves, and area, last or best",
    )
    loss_tolerance: Annotated[PositiveFloat, Field(le=1000)] = Field(
        description="largest change of a difference of losses that counts as none"
    )
    accuracy_tolerance: Annotated[PositiveFloat, Field(le=1)] = Field(
        description="the same of accuracies, as a share of the images"
    )
    figure: CurveName = Field(description="figure of the differences under all alternatives")

    def tolerance(self, endpoint: str) -> float:
        """What counts as no change of a difference at an endpoint."""
        return self.accuracy_tolerance if endpoint.split()[0] in ACCURACIES else self.loss_tolerance

    @model_validator(mode="after")
    def _once(self) -> Self:
        for endpoint in self.endpoints:
            if self.endpoints.count(endpoint) > 1:
                raise ValueError(f"endpoints names {endpoint!r} twice; name each once")
        return self


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
    training: ChoiceCurves

    @model_validator(mode="after")
    def _two_figures(self) -> Self:
        if self.figure == self.training.figure:
            raise ValueError(
                f"figure and training.figure are both {self.figure!r}; name two files, one for each"
            )
        return self


class OpenChoicesStage(Block):
    """Blocks of ``compare_choices`` and ``plot_ledger``."""

    network: Network
    probe: Probe
    open_choices: OpenChoicesSettings
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures


class Compared(Block):
    """The part of ``training`` that says what is compared; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    parametrizations: Parametrizations


class ChoiceRun(RunStage):
    """Blocks of ``train_choice``: what its runs depend on, and under which parametrizations they are."""

    training: Compared


class ChoiceCurvesStage(Block):
    """Blocks of ``compare_trained`` and ``plot_trained``."""

    training: Compared
    open_choices: OpenChoicesSettings
    fit: Fit
    figures: Figures


class ChosenBlocks(ChoiceRun):
    """Blocks that the runs under an alternative follow from."""

    open_choices: OpenChoicesSettings


class PageBlocks(Block):
    """Blocks that the page quotes besides the keys of its entries."""

    paths: Paths
    protocol: Protocol
    training: Compared
    open_choices: OpenChoicesSettings
    fit: Fit
    comparison: Comparison


def for_open_choices(config: BaseModel) -> OpenChoicesStage:
    """What the changes of slopes, and their figure, depend on besides their trials."""
    whole = pick(OpenChoicesStage, config)
    return whole.model_copy(update={"figures": whole.figures.only(whole.figures.titles)})


def for_choice_curves(config: BaseModel) -> ChoiceCurvesStage:
    """What the differences under all alternatives, and their figure, depend on besides the curves."""
    whole = pick(ChoiceCurvesStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def for_choice_run(chosen: BaseModel) -> ChoiceRun:
    """What the runs under one alternative depend on; ``chosen`` is the configuration with its overlay.

    Network, epochs and task are those of ``open_choices.training``, whatever ``protocol`` says.
    """
    blocks = pick(ChosenBlocks, chosen)
    curves = blocks.open_choices.training
    network = {"n": curves.n, "n_min": curves.n_min, "epochs": curves.epochs}
    run = pick(ChoiceRun, blocks).of_task(curves.task)
    return run.model_copy(update={"protocol": run.protocol.model_copy(update=network)})
