"""Arms: what runs of one table vary, and what training, auditing and reading the table depend on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, PositiveFloat, PositiveInt, model_validator

from dynparam.data.settings import Data, Inputs, ValidatedData
from dynparam.settings.base import Block, ExactNumber, pick
from dynparam.settings.widths import Network
from dynparam.theory.parametrization import ParametrizationName
from dynparam.training.settings import (
    AuditLimits,
    Protocol,
    RunStage,
    VariedProtocol,
    VariedRun,
)


def _as_written(value: float) -> float:
    """A number with the nine digits that tables keep, so that it is found again in them."""
    return float(f"{value:.9g}")


class Arm(Block):
    """What the runs of an arm share, and those of other arms need not have.

    Attributes:
        initialization: whose initial function its networks have.
        parametrization: whose rates they train at.
        learning_rate: the global one, eta.
        weight_decay: lambda of eq. 2.12.
        r: exponent of n_min in dynamic parametrization.
    """

    initialization: ParametrizationName
    parametrization: ParametrizationName
    learning_rate: Annotated[PositiveFloat, AfterValidator(_as_written)]
    weight_decay: Annotated[float, Field(ge=0), AfterValidator(_as_written)] = 0.0
    r: ExactNumber = Fraction(1, 2)

    @property
    def key(self) -> tuple[str, str, float, float, float]:
        """Its values as a table holds them, in the order of ``table.VARIED``."""
        return (
            self.initialization,
            self.parametrization,
            self.learning_rate,
            self.weight_decay,
            _as_written(float(self.r)),
        )

    def protocol(self, base: VariedProtocol) -> VariedProtocol:
        """The protocol of its runs."""
        own = self.initialization == self.parametrization
        return VariedProtocol.of(
            base,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            r=self.r,
            initialization=None if own else self.initialization,
        )

    def sentence(self) -> str:
        """It in words."""
        initial = f", initial scales of {self.initialization}"
        parts = [
            self.parametrization,
            "" if self.initialization == self.parametrization else initial,
            f", eta = {self.learning_rate:.4g}",
            f", lambda = {self.weight_decay:.3g}" if self.weight_decay else "",
            "" if self.r == Fraction(1, 2) else f", r = {self.r}",
        ]
        return "".join(parts)


class ArmsStage(VariedRun):
    """Blocks of ``train_arms`` and ``extend_arms``: the arms of a table, and their seeds."""

    arms: tuple[Arm, ...] = Field(min_length=1, max_length=10_000)
    seeds: Annotated[PositiveInt, Field(le=10**6)] = Field(description="runs of each arm, up to 10^6")

    @model_validator(mode="after")
    def _arms_of_their_own(self) -> Self:
        keys = [arm.key for arm in self.arms]
        for arm in self.arms:
            if keys.count(arm.key) > 1:
                raise ValueError(f"there are two arms of {arm.sentence()}; name each once")
            arm.protocol(self.protocol)
        return self

    @property
    def task(self) -> str:
        """The pair of classes."""
        (name,) = self.data.pairs
        return name

    def run_of(self, arm: Arm) -> VariedRun:
        """What a run of an arm depends on."""
        base = pick(VariedRun, self)
        return base.model_copy(update={"protocol": arm.protocol(self.protocol)})


class AuditedArms(ArmsStage):
    """Blocks of ``audit_arms`` and ``collect_arms``."""

    training: AuditLimits


class BaseBlocks(Block):
    """Blocks of a configuration that runs of arms follow from."""

    data: Data
    inputs: Inputs
    network: Network
    protocol: Protocol


def arms_stage(
    config: BaseModel,
    *,
    task: str,
    validation: int,
    arms: Sequence[Arm],
    seeds: int,
    **protocol: object,
) -> ArmsStage:
    """The arms of one table on the images of ``task``, with keys of ``protocol`` that all share.

    Raises ``ConfigError`` if there is no such pair, and ``ValueError`` for arms that cannot be.
    """
    blocks = pick(BaseBlocks, config)
    plain = RunStage(**{name: getattr(blocks, name) for name in BaseBlocks.model_fields}).of_task(task)
    return ArmsStage(
        data=ValidatedData.of(plain.data, validation),
        inputs=plain.inputs,
        network=plain.network,
        protocol=VariedProtocol.of(plain.protocol, **protocol),
        arms=tuple(arms),
        seeds=seeds,
    )
