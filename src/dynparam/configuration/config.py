"""The configuration: its blocks put together, and what each stage of the workflow depends on.

``Config`` is the whole of it; each block stands in the ``settings`` of its wing or experiment. The JSON
Schema in ``workflow/schemas`` is generated from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from dynparam.data.settings import Data, Inputs, Source
from dynparam.experiments.alignments.settings import (
    Law,
)
from dynparam.experiments.attentional_boltzmann.settings import AttentionalBoltzmannSettings
from dynparam.experiments.best_rate.settings import BestRateSettings
from dynparam.experiments.concept_retrieval.settings import ConceptRetrieval
from dynparam.experiments.continual_learning.settings import ContinualLearning
from dynparam.experiments.delay_law.settings import DelayLaw
from dynparam.experiments.fluctuations.settings import FluctuationSettings
from dynparam.experiments.isometry.settings import IsometrySettings
from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.experiments.natural_gradient.settings import NaturalGradientSettings
from dynparam.experiments.open_choices.settings import OpenChoicesSettings
from dynparam.experiments.r_sweep.settings import Sweep
from dynparam.experiments.receptive_fields.settings import ReceptiveFields
from dynparam.experiments.sharpness.settings import Sharpness
from dynparam.experiments.softmax_fisher.settings import SoftmaxFisher
from dynparam.experiments.through_training.settings import ThroughTraining
from dynparam.experiments.training_curves.settings import Claims
from dynparam.experiments.weight_decay.settings import WeightDecaySettings
from dynparam.settings.base import Block
from dynparam.settings.shared import (
    Comparison,
    Figures,
    FindingsPage,
    Fit,
    Panels,
    Paths,
    Published,
)
from dynparam.settings.widths import (
    NarrowWidth,
    Network,
    WidthGrid,
    require_narrow_family,
    require_narrower,
)
from dynparam.training.settings import (
    Domain,
    Jobs,
    Protocol,
    Training,
    network_name,
    require_a_batch,
)
from dynparam.trials.settings import Probe


class Config(Block):
    """The whole configuration; ``config/thesis.yaml`` states every value."""

    paths: Paths
    published: Published
    source: Source
    data: Data
    inputs: Inputs
    network: Network
    probe: Probe
    law: Law
    open_choices: OpenChoicesSettings
    exponents: Exponents
    sweep: Sweep
    fluctuations: FluctuationSettings
    sharpness: Sharpness
    lazy_or_rich: LazyOrRich
    softmax_fisher: SoftmaxFisher
    isometry: IsometrySettings
    attentional_boltzmann: AttentionalBoltzmannSettings
    natural_gradient: NaturalGradientSettings
    continual_learning: ContinualLearning
    concept_retrieval: ConceptRetrieval
    receptive_fields: ReceptiveFields
    best_rate: BestRateSettings
    weight_decay: WeightDecaySettings
    delay_law: DelayLaw
    protocol: Protocol
    training: Training
    domain: Domain
    through_training: ThroughTraining
    claims: Claims
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures
    findings: FindingsPage
    jobs: Jobs

    @model_validator(mode="after")
    def _references(self) -> Self:
        if self.probe.pair not in self.data.pairs:
            raise ValueError(f"probe.pair {self.probe.pair!r} is not one of data.pairs")
        for figure, shown in self.law.figures.items():
            if shown not in self.panels:
                raise ValueError(f"law.figures.{figure} continues {shown!r}, which is not in panels")
        for figure, curves in self.panels.items():
            for curve in curves:
                if curve not in self.probe.curves:
                    raise ValueError(
                        f"panels.{figure} shows {curve!r}, which is not one of probe.curves"
                    )
                if curve not in self.figures.titles:
                    raise ValueError(f"figures.titles has no title for {curve!r}; add one")
        return self

    @model_validator(mode="after")
    def _published_apart(self) -> Self:
        pages = {
            "findings.page": self.findings.page,
            "findings.summary": self.findings.summary,
            "findings.companions": self.findings.companions,
            "open_choices.page": self.open_choices.page,
        }
        places = {key: page.parent for key, page in pages.items() if page is not None}
        for key, place in {**places, "paths.figures": self.paths.figures}.items():
            if place in (self.published.figures, self.published.pages):
                raise ValueError(
                    f"{key} lies in {place}, where the repository keeps what was published; name "
                    f"another place, and let `dynparam publish` copy it there"
                )
        return self

    @model_validator(mode="after")
    def _possible_widths(self) -> Self:
        for where, narrow, grid in self._families():
            require_narrow_family(where, narrow, grid, self.probe.rounding)
        require_narrower("protocol", self.protocol.n, self.protocol.n_min)
        self.sharpness.require_possible(self.data)
        curves = self.open_choices.training
        require_narrower("open_choices.training", curves.n, curves.n_min)
        for place, size in enumerate(self.domain.networks):
            require_narrower(f"domain.networks.{place}", size.n, size.n_min)
        for name, shown in self.figures.architecture.items():
            require_narrower(f"figures.architecture.{name}", shown.n, shown.n_min)
        return self

    def _families(self) -> Iterator[tuple[str, NarrowWidth, WidthGrid]]:
        """Every measured family of widths: the key of its rule, the rule, and its wide widths."""
        for name, curve in self.probe.curves.items():
            yield f"probe.curves.{name}.narrow at probe.widths", curve.narrow, self.probe.widths
        for shown in self.law.figures.values():
            for name in self.panels[shown]:
                where = f"probe.curves.{name}.narrow at law.widths"
                yield where, self.probe.curves[name].narrow, self.law.widths
        for name, narrow in self.exponents.families.items():
            yield f"exponents.families.{name} at exponents.widths", narrow, self.exponents.widths
        for part in ("second_step", "training"):
            grid = getattr(self.sweep, part).widths
            yield f"sweep.narrow at sweep.{part}.widths", self.sweep.narrow, grid

    @model_validator(mode="after")
    def _possible_counts(self) -> Self:
        if self.law.sliding > self.law.widths.count:
            raise ValueError(
                f"law.sliding ({self.law.sliding}) exceeds law.widths.count ({self.law.widths.count}); "
                f"lower it"
            )
        if sum(n >= self.law.slopes_from for n in self.law.widths.widths()) < 2:
            raise ValueError(
                f"law.slopes_from ({self.law.slopes_from}) leaves fewer than two of law.widths, which "
                f"have no slope; lower it"
            )
        for key in ("train_images", "test_images"):
            if self.data.stratified and getattr(self.data, key) % 2:
                raise ValueError(
                    f"data.{key} ({getattr(self.data, key)}) is odd, but data.stratified asks for equal "
                    f"numbers of both classes; make it even"
                )
        return self

    @model_validator(mode="after")
    def _training_references(self) -> Self:
        for where, tasks in (
            ("figures.training", tuple(self.figures.training.values())),
            ("domain.tasks", self.domain.tasks),
            ("through_training.tasks", self.through_training.tasks),
            ("open_choices.training.task", (self.open_choices.training.task,)),
            ("lazy_or_rich.linearization.pair", (self.lazy_or_rich.linearization.pair,)),
            ("softmax_fisher.pair", (self.softmax_fisher.pair,)),
            ("natural_gradient.images.pair", (self.natural_gradient.images.pair,)),
        ):
            for task in tasks:
                if task not in self.data.pairs:
                    raise ValueError(f"{where} names {task!r}, which is not one of data.pairs")
        for size in self.domain.networks:
            if network_name(size.n, size.n_min) == self.protocol.network_name:
                raise ValueError("domain.networks repeats the network of protocol; remove it there")
        shortest = min(self.protocol.epochs, self.domain.epochs)
        require_a_batch(self.data, self.protocol)
        if max(self.claims.epochs) > self.protocol.epochs:
            raise ValueError(
                f"claims.epochs names epoch {max(self.claims.epochs)}, but protocol.epochs is "
                f"{self.protocol.epochs}; judge earlier epochs or train longer"
            )
        if self.fluctuations.epoch > shortest:
            raise ValueError(
                f"fluctuations.epoch ({self.fluctuations.epoch}) exceeds the {shortest} epochs of a "
                f"run; compare seeds earlier"
            )
        if self.training.audit.epochs > shortest:
            raise ValueError(
                f"training.audit.epochs ({self.training.audit.epochs}) exceeds the {shortest} epochs "
                f"of a run; audit fewer"
            )
        return self
