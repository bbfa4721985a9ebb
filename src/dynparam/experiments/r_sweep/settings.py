"""The sweep of r, and what its edges and figure depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
    model_validator,
)

from dynparam.settings.base import Block, ExactNumber, Seed, Trials, named, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import NarrowWidth, Network, WidthGrid
from dynparam.theory.update_bound import Reference
from dynparam.trials.settings import ProbeStage


class SweepTrials(Block):
    """The widths and trials of one part of the sweep."""

    widths: WidthGrid
    trials: Trials = Field(description="independent trials per width and r, up to 10^7")


UpdateExponent = Annotated[ExactNumber, Field(ge=0, le=1)]


class Sweep(Block):
    """Updates of size m^r for several reference widths m: the bound on r in Sec. 2.3.2."""

    seed: Seed = Field(description="seed of the trials")
    references: tuple[Reference, ...] = Field(
        min_length=1, description="the widths m: smallest, geometric mean or largest hidden width"
    )
    r: tuple[UpdateExponent, ...] = Field(
        min_length=2, max_length=1000, description="exponents r, increasing, 0 to 1"
    )
    narrow: NarrowWidth
    second_step: SweepTrials = Field(description="trials of two steps, on images of one class")
    training: SweepTrials = Field(description="trials of several steps, on random images")
    steps: Annotated[int, Field(ge=2, le=10**5)] = Field(
        description="steps of SGD in the second kind of trial, 2 to 10^5"
    )
    onset: Annotated[float, Field(gt=1)] = Field(description="growth of gradients that counts as such")
    tolerance: PositiveFloat = Field(
        description="largest difference of r or of an exponent that is none"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.r) != sorted(set(self.r)):
            raise ValueError("r is not increasing; list every exponent once, the smallest first")
        if self.narrow.exponent == 0:
            raise ValueError("narrow.exponent is 0, so n_min does not grow; give it a positive one")
        return self


class SweepStage(ProbeStage):
    """Blocks of ``sweep_reference``."""

    sweep: Sweep


class EdgesStage(Block):
    """Blocks of ``find_edges`` and ``plot_sweep``."""

    network: Network
    sweep: Sweep
    fit: Fit
    figures: Figures


def for_sweep(config: BaseModel, reference: str) -> SweepStage:
    """What the sweep with updates of the size of a power of ``reference`` depends on."""
    whole = pick(SweepStage, config)
    known: dict[str, Reference] = {name: name for name in whole.sweep.references}
    sweep = whole.sweep.model_copy(update={"references": (named(known, reference, "sweep.references"),)})
    data = whole.data.of_pair(whole.probe.pair)
    # The probe's own grid and seed do not reach the sweep; an edit there must not repeat it.
    return whole.model_copy(update={"data": data, "sweep": sweep}).with_probe(
        seed=sweep.seed, trials=2, widths=sweep.training.widths, curves={}
    )


def for_edges(config: BaseModel) -> EdgesStage:
    """What the edges of the sweep and their figure depend on, besides the measured trials."""
    whole = pick(EdgesStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
