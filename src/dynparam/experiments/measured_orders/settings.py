"""What Table 1.1 and the conditions, measured, depend on."""

from __future__ import annotations

from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
)

from dynparam.settings.base import Block, CurveName, Seed, Trials, named, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import Curve, NarrowWidth, Network, WidthGrid
from dynparam.theory.parametrization import HALF, ParametrizationName
from dynparam.trials.settings import Probe, ProbeStage, for_images


class Exponents(Block):
    """Measured orders of sizes and updates: Table 1.1 and the conditions of Secs. 2.2-2.3."""

    seed: Seed = Field(description="seed of the trials")
    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1)
    families: dict[CurveName, NarrowWidth] = Field(description="families of widths, by name")
    widths: WidthGrid
    trials: Trials = Field(description="independent trials per width, up to 10^7")
    tolerance: PositiveFloat = Field(description="largest difference of exponents counted as equal")


class ExponentsStage(Block):
    """Blocks of ``plot_conditions`` and of the table of orders."""

    network: Network
    probe: Probe
    exponents: Exponents
    fit: Fit
    figures: Figures


class ExponentTrials(ProbeStage):
    """The probe's images and network beside the families of widths that are measured on them."""

    exponents: Exponents


def for_exponents(config: BaseModel, parametrization: ParametrizationName, family: str) -> ProbeStage:
    """What measuring the orders of a parametrization along a family of widths depends on.

    The stage has one curve, named ``parametrization_family``.
    """
    chosen = pick(ExponentTrials, config).exponents
    narrow = named(chosen.families, family, "exponents.families")
    curve = Curve(parametrization=parametrization, r=HALF, narrow=narrow, claim="flat")
    return for_images(config).with_probe(
        seed=chosen.seed,
        trials=chosen.trials,
        twice=True,
        widths=chosen.widths,
        curves={f"{parametrization}_{family}": curve},
    )


def for_orders(config: BaseModel) -> ExponentsStage:
    """What Table 1.1 and the figure of conditions depend on, besides the measured trials."""
    whole = pick(ExponentsStage, config)
    probe = whole.probe.model_copy(update={"curves": {}})
    return whole.model_copy(update={"probe": probe, "figures": whole.figures.only()})
