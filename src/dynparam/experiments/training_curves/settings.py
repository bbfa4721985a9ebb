"""Where the claims on training curves are judged, and what they depend on."""

from __future__ import annotations

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from dynparam.settings.base import Block, Epochs, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import Parametrizations
from dynparam.training.settings import Domain, Protocol


class Claims(Block):
    """Where the claims on training curves are judged."""

    epochs: tuple[Epochs, ...] = Field(
        min_length=1, max_length=1000, description="epochs of single comparisons"
    )


class ShownTraining(Block):
    """The part of ``training`` that claims and figures depend on; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    parametrizations: Parametrizations
    seeds: int


class ClaimsStage(Block):
    """Blocks of ``judge_claims`` and of the figures of training curves."""

    training: ShownTraining
    protocol: Protocol
    domain: Domain
    claims: Claims
    fit: Fit
    figures: Figures


def for_claims(config: BaseModel) -> ClaimsStage:
    """What judging the claims on training curves depends on."""
    whole = pick(ClaimsStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
