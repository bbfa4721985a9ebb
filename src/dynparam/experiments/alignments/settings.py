"""What Figs. 3.2 and 3.3, their slopes and their comparison depend on."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    BaseModel,
    Field,
)

from dynparam.settings.base import Block, CurveName, Trials, Width, named, pick
from dynparam.settings.shared import Comparison, Figures, Fit, Panels, panels_of
from dynparam.settings.widths import Network, WidthGrid
from dynparam.trials.settings import Probe, ProbeStage, for_curve


class Law(Block):
    """What the exact-law engine adds to the curves of the probe."""

    widths: WidthGrid = Field(description="wide widths of the figures that go on where dense ones end")
    trials: Trials = Field(description="independent trials per width there, up to 10^7")
    sliding: Annotated[int, Field(ge=2)] = Field(description="neighbouring widths of a local slope")
    slopes_from: Width = Field(description="smallest n of the slopes in the comparison table")
    exact_trials: Trials = Field(
        description="trials per width of the exact expectation on the probe's own widths, up to 10^7"
    )
    figures: dict[CurveName, CurveName] = Field(
        description="figures at these widths, and the figure of panels that each continues"
    )


class FitStage(Block):
    """Blocks of ``fit_slopes``."""

    fit: Fit


class ComparisonStage(Block):
    """Blocks of ``compare_slopes``."""

    network: Network
    probe: Probe
    law: Law
    fit: Fit
    comparison: Comparison
    panels: Panels


class FigureStage(Block):
    """Blocks of ``plot_figure``."""

    comparison: Comparison
    panels: Panels
    figures: Figures


class WideFigureStage(Block):
    """Blocks of ``plot_wide``."""

    network: Network
    probe: Probe
    law: Law
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures


class CurvesStage(ProbeStage):
    """Blocks of curves measured, fitted, compared and drawn in one go (``at_once.make``)."""

    law: Law
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures


class LawTrials(ProbeStage):
    """The probe beside what the exact-law engine adds to it."""

    law: Law

    def curve_trials(self, curve: str, **changes: object) -> ProbeStage:
        """What measuring ``curve`` depends on, with other values in ``probe``."""
        return for_curve(self, curve).with_probe(**changes)


def for_exact(config: BaseModel, curve: str) -> ProbeStage:
    """What the exact expectation of ``curve`` on the probe's widths depends on."""
    whole = pick(LawTrials, config)
    return whole.curve_trials(curve, trials=whole.law.exact_trials)


def for_wide(config: BaseModel, curve: str) -> ProbeStage:
    """What measuring ``curve`` at the widths of the law engine depends on."""
    whole = pick(LawTrials, config)
    return whole.curve_trials(curve, trials=whole.law.trials, widths=whole.law.widths)


def for_fit(config: BaseModel) -> FitStage:
    """What fitting slopes depends on."""
    return pick(FitStage, config)


def for_comparison(config: BaseModel) -> ComparisonStage:
    """What the comparison table depends on."""
    return pick(ComparisonStage, config)


def for_figure(config: BaseModel, figure: str) -> FigureStage:
    """What drawing the panels of ``figure`` depends on."""
    whole = pick(FigureStage, config)
    curves = panels_of(whole.panels, figure)
    titles = {curve: whole.figures.titles[curve] for curve in curves}
    return whole.model_copy(update={"panels": {figure: curves}, "figures": whole.figures.only(titles)})


def for_wide_figure(config: BaseModel, figure: str) -> WideFigureStage:
    """What drawing ``figure`` at the widths of the law engine depends on."""
    whole = pick(WideFigureStage, config)
    shown = named(whole.law.figures, figure, "law.figures")
    law = whole.law.model_copy(update={"figures": {figure: shown}})
    drawn = for_figure(config, shown)
    return whole.model_copy(update={"law": law, "panels": drawn.panels, "figures": drawn.figures})
