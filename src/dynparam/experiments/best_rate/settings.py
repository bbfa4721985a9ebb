"""Which rates are tried under which initial scales, and what judging and drawing depend on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, model_validator

from dynparam.data.settings import Images
from dynparam.settings.base import (
    Block,
    CurveName,
    DenseWidth,
    Epochs,
    PairName,
    Seeds,
    pick,
)
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import require_narrower
from dynparam.theory.parametrization import ParametrizationName
from dynparam.training.arms.settings import Arm, ArmsStage, arms_stage
from dynparam.training.settings import network_name

Octave = Annotated[int, Field(ge=-60, le=60)]

Chosen = Literal["validation_loss", "validation_accuracy"]


class Scheme(Block):
    """Initial scales and rates, of one parametrization or of two."""

    initialization: ParametrizationName = Field(description="whose initial function networks have")
    rates: ParametrizationName = Field(description="whose layerwise rates they train at")


class RatedNetwork(Block):
    """A network, and the rates at which it is trained."""

    n: DenseWidth = Field(description="width of the wide hidden layers, up to 10^6")
    n_min: DenseWidth = Field(description="width of the narrow hidden layers, at most n")
    seeds: Seeds = Field(description="runs at each rate, 2 to 10^6")
    epochs: Epochs = Field(description="up to 10^6")
    first: Octave = Field(description="the smallest rate is eta 2^first, -60 to 60")
    last: Octave = Field(description="the largest rate is eta 2^last, -60 to 60")
    schemes: tuple[CurveName, ...] = Field(
        min_length=1, max_length=25, description="names among best_rate.schemes"
    )

    @property
    def name(self) -> str:
        """The widths as they stand in file names."""
        return network_name(self.n, self.n_min)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        require_narrower("best_rate.networks", self.n, self.n_min)
        if self.last <= self.first:
            raise ValueError(f"last ({self.last}) must exceed first ({self.first}); swap them")
        return self


class BestRateSettings(Block):
    """Every scheme at its own best learning rate, which a third set of images chooses."""

    tasks: tuple[PairName, ...] = Field(min_length=1, description="pairs of data.pairs")
    validation_images: Images = Field(description="images that choose the rate, up to 10^6")
    learning_rate: PositiveFloat = Field(description="the eta that rates are multiples of, by octaves")
    chosen_by: Chosen = Field(
        description="column whose mean over seeds, each at its best epoch, chooses"
    )
    schemes: dict[CurveName, Scheme] = Field(
        min_length=1, description="initial scales and rates, by name"
    )
    compared: tuple[ParametrizationName, ParametrizationName] = Field(
        description="schemes of one parametrization: second less first, each at its best rate"
    )
    networks: tuple[RatedNetwork, ...] = Field(min_length=1, max_length=100)
    accuracy_tolerance: Annotated[PositiveFloat, Field(le=1)] = Field(
        description="difference of accuracies that counts as none, as a share of the images"
    )
    loss_tolerance: Annotated[PositiveFloat, Field(le=1000)] = Field(
        description="difference of losses that counts as none"
    )
    nearly: Annotated[PositiveFloat, Field(le=10)] = Field(
        description="share by which the validation score may exceed the best and count as nearly as good"
    )
    control_octaves: Annotated[PositiveInt, Field(le=60)] = Field(
        description="octaves below the best rate, at which a network must not do as well"
    )
    figure: CurveName = Field(description="figure of loss and accuracy against the rate")

    def rates(self, network: RatedNetwork) -> tuple[float, ...]:
        """The learning rates tried, increasing."""
        return tuple(self.learning_rate * 2.0**k for k in range(network.first, network.last + 1))

    def arms(self, network: RatedNetwork, name: str) -> tuple[Arm, ...]:
        """The arms of a scheme in a network, one for each rate."""
        scheme = self.schemes[name]
        return tuple(
            Arm(initialization=scheme.initialization, parametrization=scheme.rates, learning_rate=rate)
            for rate in self.rates(network)
        )

    def tables(self) -> Iterator[tuple[str, tuple[str, RatedNetwork, str]]]:
        """The place of every table of curves, and its task, network and scheme.

        A place is ``best_rate/bird-cat/1000-50/spectral``.
        """
        for task in self.tasks:
            for network in self.networks:
                for name in network.schemes:
                    yield f"best_rate/{task}/{network.name}/{name}", (task, network, name)

    @model_validator(mode="after")
    def _one_table_each(self) -> Self:
        names = [(one.name, scheme) for one in self.networks for scheme in one.schemes]
        for network, scheme in names:
            if names.count((network, scheme)) > 1:
                raise ValueError(f"networks has {scheme} at {network} twice; list it once")
        for scheme in (*self.compared, *(scheme for _, scheme in names)):
            if scheme not in self.schemes:
                raise ValueError(f"schemes has no {scheme!r}, which compared or networks names; add it")
        return self


class BestRateStage(Block):
    """Blocks of ``judge_rates`` and ``plot_rates``."""

    best_rate: BestRateSettings
    fit: Fit
    figures: Figures

    def places(self) -> Iterator[str]:
        """The places of all tables of curves."""
        return (place for place, _ in self.best_rate.tables())


class Rated(Block):
    """The block that says which tables there are; the others are the arms'."""

    best_rate: BestRateSettings


def tables(config: BaseModel) -> Iterator[tuple[str, ArmsStage]]:
    """The place of every table of curves, and its arms."""
    own = pick(Rated, config).best_rate
    for place, (task, network, name) in own.tables():
        yield (
            place,
            arms_stage(
                config,
                task=task,
                validation=own.validation_images,
                arms=own.arms(network, name),
                seeds=network.seeds,
                n=network.n,
                n_min=network.n_min,
                epochs=network.epochs,
            ),
        )


def for_best_rates(config: BaseModel) -> BestRateStage:
    """What the verdicts and the figure depend on, besides the curves."""
    whole = pick(BestRateStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
