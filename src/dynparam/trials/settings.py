"""The one-step trials of Figs. 3.2 and 3.3 as blocks, and what measuring them depends on."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from dynparam.data.settings import Data, Inputs
from dynparam.settings.base import Block, CurveName, PairName, Seed, Trials, named, pick
from dynparam.settings.widths import Curve, Network, WidthGrid
from dynparam.theory.parametrization import FirstLayer

Engine = Literal["dense", "law"]

ASYMPTOTIC = "asymptotic_first_layer"
"""The alternative of config/open_choices.yaml with ``probe.first_layer: asymptotic``."""


class Probe(Block):
    """The one-step probe of Figs. 3.2 and 3.3."""

    seed: Seed = Field(description="seed of the trials")
    pair: PairName = Field(description="pair of classes the images come from")
    learning_rate: PositiveFloat = Field(description="global learning rate eta")
    trials: Trials = Field(description="independent trials per width, up to 10^7")
    widths: WidthGrid
    rounding: Literal["nearest", "floor"] = Field(description="how n_min becomes an integer")
    subset: Literal["fixed", "redrawn"] = Field(
        description="training images fixed by the data seed, or drawn again in every trial"
    )
    dtype: Literal["float32", "float64"]
    first_layer: FirstLayer = Field(
        description="eq. 3.4 in the first layer: by n_0 as a number, or with n_0 counted as Theta(1)"
    )
    twice: bool = Field(
        default=False,
        description="record the gradients after the step too (eq. 2.58): half as much work again",
    )
    curves: dict[CurveName, Curve]

    @model_serializer(mode="wrap")
    def _where_asked(self, written: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without ``twice`` unless it is set, so that trials that never had it keep their digest."""
        values: dict[str, object] = written(self)
        return values if self.twice else {k: v for k, v in values.items() if k != "twice"}

    def curve(self, name: str) -> Curve:
        """The curve of that name. Raises ``ConfigError`` if there is none."""
        return named(self.curves, name, "probe.curves")


class ProbeStage(Block):
    """Blocks of ``probe_alignment`` and ``expect_slopes``."""

    data: Data
    inputs: Inputs
    network: Network
    probe: Probe

    def with_probe(self, **changes: object) -> Self:
        """The same with other values in ``probe``."""
        return self.model_copy(update={"probe": self.probe.model_copy(update=changes)})


def for_curve(config: BaseModel, curve: str) -> ProbeStage:
    """What measuring ``curve``, or its expectation, depends on."""
    stage = for_images(config)
    return stage.with_probe(curves={curve: stage.probe.curve(curve)})


def for_images(config: BaseModel) -> ProbeStage:
    """What trials on the images of the probe's pair depend on, all curves among it."""
    stage = pick(ProbeStage, config)
    return stage.model_copy(update={"data": stage.data.of_pair(stage.probe.pair)})
