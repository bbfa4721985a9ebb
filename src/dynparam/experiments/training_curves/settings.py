"""Where the claims on training curves are judged, and what they depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
    model_validator,
)

from dynparam.settings.base import Block, Epochs, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.training.settings import ACCURACIES, LOSSES, Domain, Protocol, WantedRuns


class Claims(Block):
    """Where the claims on training curves are judged."""

    epochs: tuple[Epochs, ...] = Field(
        min_length=1, max_length=1000, description="epochs of single comparisons"
    )
    primary: tuple[str, ...] = Field(
        max_length=100,
        description="the comparisons that count, corrected for their number: train_loss area; last is "
        "the last of epochs",
    )
    jump: Annotated[PositiveFloat, Field(le=1000)] = Field(
        description="rise of the training loss from one epoch to the next, as a share, that is a jump"
    )

    @property
    def metrics(self) -> tuple[str, ...]:
        """All comparisons: a column of the curves and where on them, ``test_loss epoch 100``."""
        return tuple(
            f"{column} {place}" for column in (*LOSSES, *ACCURACIES) for place in self.places(column)
        )

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The primary ones of ``metrics``."""
        last = f" epoch {max(self.epochs)}"
        return tuple(name.replace(" last", last) for name in self.primary)

    def places(self, column: str) -> tuple[str, ...]:
        """Where a column of the curves is compared.

        At single epochs and over the area; on the test images at each run's own best epoch, too; and the
        training loss by its jumps.
        """
        more = {"train_loss": ("jumps",), "train_accuracy": ()}.get(column, ("best",))
        return (*(f"epoch {epoch}" for epoch in self.epochs), "area", *more)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.endpoints:
            if name not in self.metrics:
                raise ValueError(
                    f"claims.primary names {name!r}, which is not compared; choose from "
                    f"{', '.join(self.metrics)}"
                )
        return self


class ClaimsStage(Block):
    """Blocks of ``judge_claims`` and of the figures of training curves."""

    training: WantedRuns
    protocol: Protocol
    domain: Domain
    claims: Claims
    fit: Fit
    figures: Figures


def for_claims(config: BaseModel) -> ClaimsStage:
    """What judging the claims on training curves depends on."""
    whole = pick(ClaimsStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
