"""The configuration: its blocks put together, and what each stage of the workflow depends on.

``Config`` is the whole of it, and says which part each stage gets (``config_stages``). The JSON Schema
in ``workflow/schemas`` is generated from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from pydantic import BaseModel, model_validator

from dynparam.blocks import (
    Block,
    Claims,
    Comparison,
    Curve,
    Data,
    Domain,
    Exponents,
    Figures,
    FindingsPage,
    Fit,
    Inputs,
    Jobs,
    Law,
    LedgerSettings,
    Network,
    Panels,
    ParametrizationName,
    Paths,
    Probe,
    Protocol,
    Reference,
    Source,
    Sweep,
    Training,
    named,
    network_name,
    panels_of,
    shown_curves,
)
from dynparam.config_stages import (
    ArchitectureStage,
    AuditLimits,
    AuditStage,
    ClaimsStage,
    ComparisonStage,
    DataStage,
    EdgesStage,
    ExponentsStage,
    FigureStage,
    FindingsStage,
    FitStage,
    LedgerStage,
    ProbeStage,
    RunStage,
    ShownTraining,
    SourceStage,
    SweepStage,
    WideFigureStage,
    require_a_batch,
)

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Run:
    """Runs of several seeds that differ in nothing else, and the name of their files.

    Attributes:
        task: a pair of data.pairs.
        network: widths as in ``10000-500``.
        parametrization: its name.
        seeds: how many.
        main: whether the network is the thesis's own, not one of the domain study.
    """

    task: str
    network: str
    parametrization: str
    seeds: int
    main: bool

    @property
    def name(self) -> str:
        """``task/parametrization`` for the thesis's network, with the widths between for another."""
        middle = () if self.main else (self.network,)
        return "/".join((self.task, *middle, self.parametrization))

    @property
    def place(self) -> str:
        """``task/network/parametrization``."""
        return f"{self.task}/{self.network}/{self.parametrization}"


class Config(Block):
    """The whole configuration; ``config/thesis.yaml`` states every value.

    The methods ``for_...`` give one job just the part it depends on, so that an edit elsewhere in the
    configuration does not repeat the job.
    """

    paths: Paths
    source: Source
    data: Data
    inputs: Inputs
    network: Network
    probe: Probe
    law: Law
    ledger: LedgerSettings
    exponents: Exponents
    sweep: Sweep
    protocol: Protocol
    training: Training
    domain: Domain
    claims: Claims
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures
    findings: FindingsPage
    jobs: Jobs

    def for_source(self) -> SourceStage:
        """What ``retrieve_cifar10`` depends on."""
        return SourceStage(source=self.source)

    def for_pair(self, pair: str) -> DataStage:
        """What extracting ``pair`` depends on."""
        return DataStage(data=self._data_of(pair))

    def for_curve(self, curve: str) -> ProbeStage:
        """What measuring ``curve``, or its expectation, depends on."""
        return ProbeStage(
            data=self._data_of(self.probe.pair),
            inputs=self.inputs,
            network=self.network,
            probe=self.probe.model_copy(update={"curves": {curve: self.probe.curve(curve)}}),
        )

    def for_exact(self, curve: str) -> ProbeStage:
        """What the exact expectation of ``curve`` on the probe's widths depends on."""
        return _of_probe(self.for_curve(curve), trials=self.law.exact_trials)

    def for_wide(self, curve: str) -> ProbeStage:
        """What measuring ``curve`` at the widths of the law engine depends on."""
        return _of_probe(self.for_curve(curve), trials=self.law.trials, widths=self.law.widths)

    def for_exponents(self, parametrization: ParametrizationName, family: str) -> ProbeStage:
        """What measuring the orders of a parametrization along a family of widths depends on.

        The stage has one curve, named ``parametrization_family``.
        """
        chosen = self.exponents
        narrow = named(chosen.families, family, "exponents.families")
        curve = Curve(parametrization=parametrization, r=HALF, narrow=narrow, claim="flat")
        stage = ProbeStage(
            data=self._data_of(self.probe.pair),
            inputs=self.inputs,
            network=self.network,
            probe=self.probe,
        )
        return _of_probe(
            stage,
            seed=chosen.seed,
            trials=chosen.trials,
            widths=chosen.widths,
            curves={f"{parametrization}_{family}": curve},
        )

    def for_findings(self) -> FindingsStage:
        """What the findings depend on besides the tables they quote."""
        return FindingsStage(law=self.law, exponents=self.exponents, comparison=self.comparison)

    def for_orders(self) -> ExponentsStage:
        """What Table 1.1 and the figure of conditions depend on, besides the measured trials."""
        return ExponentsStage(
            network=self.network,
            probe=self.probe.model_copy(update={"curves": {}}),
            exponents=self.exponents,
            fit=self.fit,
            figures=self.figures.model_copy(update={"titles": {}, "architecture": {}}),
        )

    def for_sweep(self, reference: Reference) -> SweepStage:
        """What the sweep with updates of the size of a power of ``reference`` depends on."""
        chosen = self.sweep
        known: dict[str, Reference] = {name: name for name in chosen.references}
        stage = SweepStage(
            data=self._data_of(self.probe.pair),
            inputs=self.inputs,
            network=self.network,
            probe=self.probe,
            sweep=chosen.model_copy(
                update={"references": (named(known, reference, "sweep.references"),)}
            ),
        )
        # The probe's own grid and seed do not reach the sweep; an edit there must not repeat it.
        unused = {"seed": chosen.seed, "trials": 2, "widths": chosen.training.widths, "curves": {}}
        return stage.model_copy(update={"probe": stage.probe.model_copy(update=unused)})

    def for_edges(self) -> EdgesStage:
        """What the edges of the sweep and their figure depend on, besides the measured trials."""
        return EdgesStage(
            network=self.network,
            sweep=self.sweep,
            fit=self.fit,
            figures=self.figures.model_copy(update={"titles": {}, "architecture": {}}),
        )

    def for_fit(self) -> FitStage:
        """What fitting slopes depends on."""
        return FitStage(fit=self.fit)

    def for_comparison(self) -> ComparisonStage:
        """What the comparison table depends on."""
        return ComparisonStage(
            network=self.network,
            probe=self.probe,
            law=self.law,
            fit=self.fit,
            comparison=self.comparison,
            panels=self.panels,
        )

    def for_ledger(self) -> LedgerStage:
        """What the changes of slopes in the ledger, and their figure, depend on besides their trials."""
        return LedgerStage(
            probe=self.probe,
            ledger=self.ledger,
            fit=self.fit,
            comparison=self.comparison,
            panels=self.panels,
            figures=self.figures.model_copy(update={"architecture": {}}),
        )

    def for_figure(self, figure: str) -> FigureStage:
        """What drawing the panels of ``figure`` depends on."""
        curves = panels_of(self.panels, figure)
        titles = {curve: self.figures.titles[curve] for curve in curves}
        drawing = self.figures.model_copy(update={"titles": titles, "architecture": {}})
        return FigureStage(panels={figure: curves}, figures=drawing)

    def for_wide_figure(self, figure: str) -> WideFigureStage:
        """What drawing ``figure`` at the widths of the law engine depends on."""
        shown = named(self.law.figures, figure, "law.figures")
        drawn = self.for_figure(shown)
        return WideFigureStage(
            network=self.network,
            probe=self.probe,
            law=self.law.model_copy(update={"figures": {figure: shown}}),
            fit=self.fit,
            panels=drawn.panels,
            figures=drawn.figures,
        )

    def for_architecture(self, figure: str) -> ArchitectureStage:
        """What drawing the network of ``figure`` depends on."""
        shown = {figure: self.figures.architecture_figure(figure)}
        drawing = self.figures.model_copy(update={"titles": {}, "architecture": shown})
        return ArchitectureStage(network=self.network, figures=drawing)

    def runs(self) -> dict[str, Run]:
        """All runs of the figures of curves and of the domain study, by name."""
        main = self.protocol.network_name
        tasks = dict.fromkeys(self.figures.training.values())
        wanted = [(task, main, self.training.seeds) for task in tasks]
        if self.figures.domain is not None:
            wanted += [
                (task, network_name(size.n, size.n_min), self.domain.seeds)
                for task in self.domain.tasks
                for size in self.domain.networks
            ]
        found = [
            Run(task, network, parametrization, seeds, main=network == main)
            for task, network, seeds in wanted
            for parametrization in self.training.parametrizations
        ]
        return {run.name: run for run in found}

    def for_run(self, task: str, network: str) -> RunStage:
        """What a run on ``task`` in the network of that name depends on."""
        protocol = self.protocol
        if network != protocol.network_name:
            sizes = {network_name(size.n, size.n_min): size for size in self.domain.networks}
            size = named(sizes, network, "domain.networks")
            changes = {"n": size.n, "n_min": size.n_min, "epochs": self.domain.epochs}
            protocol = protocol.model_copy(update=changes)
        stage = RunStage(data=self.data, inputs=self.inputs, network=self.network, protocol=protocol)
        return stage.of_task(task)

    def for_audit(self) -> AuditStage:
        """What an audit depends on besides the run."""
        return AuditStage(training=AuditLimits(audit=self.training.audit))

    def for_claims(self) -> ClaimsStage:
        """What judging the claims on training curves depends on."""
        return ClaimsStage(
            training=ShownTraining(
                parametrizations=self.training.parametrizations, seeds=self.training.seeds
            ),
            protocol=self.protocol,
            domain=self.domain,
            claims=self.claims,
            fit=self.fit,
            figures=self.figures.model_copy(update={"titles": {}, "architecture": {}}),
        )

    def shown_curves(self) -> list[str]:
        """The curves of all panels, each once, in their order."""
        return shown_curves(self.panels)

    def _data_of(self, pair: str) -> Data:
        return self.data.model_copy(update={"pairs": {pair: self.data.pairs[pair]}})

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
    def _training_references(self) -> Self:
        for where, tasks in (
            ("figures.training", tuple(self.figures.training.values())),
            ("domain.tasks", self.domain.tasks),
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
        if self.training.audit.epochs > shortest:
            raise ValueError(
                f"training.audit.epochs ({self.training.audit.epochs}) exceeds the {shortest} epochs "
                f"of a run; audit fewer"
            )
        return self


def _of_probe(stage: ProbeStage, **changes: object) -> ProbeStage:
    return stage.model_copy(update={"probe": stage.probe.model_copy(update=changes)})


def digest(block: BaseModel) -> str:
    """A short SHA-256 of a block's values, independent of the order of its keys."""
    return values_digest(block.model_dump(mode="json"))


def values_digest(values: Mapping[str, Any]) -> str:
    """The digest of a block of these values, as a record holds them."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "") -> list[str]:
    """The keys whose values differ, as ``protocol.epochs: 100, here 50``."""
    found = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{where}{key}.")
        elif before != after:
            found.append(f"{where}{key}: {before}, here {after}")
    return found
