"""The autoencoders that are trained, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, model_validator

from dynparam.settings.base import Block, CurveName, Seed, Trials, pick
from dynparam.settings.shared import Figures, Fit

Dimensions = Annotated[int, Field(ge=1, le=1000)]

Samples = Annotated[int, Field(ge=2, le=10**6)]

Steps = Annotated[int, Field(ge=1, le=10**6)]


class ConceptClusters(Block):
    """Data in clusters, whose means are the concepts."""

    dimensions: Annotated[int, Field(ge=2, le=1000)] = Field(description="of a pattern, D, 2 to 1000")
    clusters: Annotated[int, Field(ge=2, le=1000)] = Field(description="how many, 2 to 1000")
    samples: Samples = Field(description="patterns to train on, up to 10^6")
    centre_dimensions: Dimensions = Field(description="of the space that centres of clusters lie in")
    centre_sd: PositiveFloat = Field(description="standard deviation of centres in it")
    within_dimensions: Dimensions = Field(description="of the space that patterns of a cluster vary in")
    within_sd: PositiveFloat = Field(description="standard deviation of patterns in it")
    noise: NonNegativeFloat = Field(description="standard deviation of noise in all dimensions")


class LinearAutoencoders(Block):
    """Those that theory knows."""

    latent: tuple[Dimensions, ...] = Field(
        min_length=1, max_length=10, description="latent widths k, increasing, up to D"
    )
    steps: Steps = Field(description="steps of Adam, up to 10^6")
    rate: PositiveFloat = Field(description="learning rate at the start; it falls to zero")
    trials: Trials = Field(description="data sets, and autoencoders of each k, up to 10^7")


class NonlinearAutoencoders(Block):
    """Those with a hidden layer of rectified linear units on either side."""

    latent: Dimensions = Field(description="latent width k, up to D")
    hidden: Annotated[int, Field(ge=1, le=10**4)] = Field(description="hidden units, up to 10^4")
    steps: Steps = Field(description="steps of Adam, up to 10^6")
    batch: Samples = Field(description="patterns of a step")
    rate: PositiveFloat = Field(description="learning rate at the start; it falls to zero")
    trials: Trials = Field(description="data sets, and autoencoders of each kind, up to 10^7")


class RepeatedInference(Block):
    """What is put into a trained autoencoder, again and again."""

    patterns: Samples = Field(description="new patterns of the clusters, up to 10^6")
    noise: NonNegativeFloat = Field(description="standard deviation of noise that is added to them")
    steps: Annotated[int, Field(ge=1, le=10**4)] = Field(description="inferences, up to 10^4")


class ConceptTolerances(Block):
    """What counts as equal, and as an approach."""

    rate: PositiveFloat = Field(description="of what an inference multiplies a mode by")
    map: PositiveFloat = Field(description="of the whole map, as its spectral norm")
    least: PositiveFloat = Field(description="of the least distance over that at the start")
    rise: PositiveFloat = Field(description="of the distance at the end over the least, over theory")
    approach: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="least distance over that at the start, below which a pattern approaches"
    )


class ConceptRetrieval(Block):
    """Repeated inference in variational autoencoders, linear and nonlinear."""

    seed: Seed = Field(description="seed of data and weights")
    variance: PositiveFloat = Field(description="variance s^2 of the decoder")
    clusters: ConceptClusters
    linear: LinearAutoencoders
    nonlinear: NonlinearAutoencoders
    inference: RepeatedInference
    tolerances: ConceptTolerances
    figure: CurveName = Field(description="figure of distances from concepts")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        own, latent = self.clusters, self.linear.latent
        if list(latent) != sorted(set(latent)):
            raise ValueError("linear.latent is not increasing; list each once, the smallest first")
        for where, width in (("linear.latent", latent[-1]), ("nonlinear.latent", self.nonlinear.latent)):
            if width > own.dimensions:
                raise ValueError(
                    f"{where} ({width}) exceeds clusters.dimensions ({own.dimensions}), whose modes it "
                    f"would outnumber; lower it"
                )
        used = own.centre_dimensions + own.within_dimensions
        if used > own.dimensions:
            raise ValueError(
                f"clusters.centre_dimensions and clusters.within_dimensions ({used} together) exceed "
                f"clusters.dimensions ({own.dimensions}); lower them"
            )
        if own.samples < own.clusters:
            raise ValueError(
                f"clusters.samples ({own.samples}) leaves clusters empty ({own.clusters}); raise it"
            )
        return self


class ConceptTrials(Block):
    """Blocks of ``measure_concepts``, which judges as well."""

    concept_retrieval: ConceptRetrieval
    fit: Fit


class ConceptStage(Block):
    """Blocks of ``plot_concepts``."""

    concept_retrieval: ConceptRetrieval
    fit: Fit
    figures: Figures


def for_concept_trials(config: BaseModel) -> ConceptTrials:
    """What measuring and its verdicts depend on."""
    return pick(ConceptTrials, config)


def for_concepts(config: BaseModel) -> ConceptStage:
    """What the figure depends on, besides what was measured."""
    whole = pick(ConceptStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
