"""What each stage of the workflow depends on: the blocks of the configuration it asks for.

A stage loads its own blocks only (``loading.load(ProbeStage, ...)``), so that it can never use a number
its rule does not track.
"""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, model_validator

from dynparam.blocks import (
    Audit,
    Block,
    Claims,
    Comparison,
    Data,
    Domain,
    Exponents,
    Figures,
    Fit,
    Inputs,
    Law,
    LedgerSettings,
    Network,
    Panels,
    Parametrizations,
    Probe,
    Protocol,
    Source,
    Sweep,
    named,
)


class SourceStage(Block):
    """Blocks of ``retrieve_cifar10``."""

    source: Source


class DataStage(Block):
    """Blocks of ``extract_pair``."""

    data: Data


class ProbeStage(Block):
    """Blocks of ``probe_alignment`` and ``expect_slopes``."""

    data: Data
    inputs: Inputs
    network: Network
    probe: Probe


class FitStage(Block):
    """Blocks of ``fit_slopes``."""

    fit: Fit


class ComparisonStage(Block):
    """Blocks of ``compare_slopes``."""

    network: Network
    probe: Probe
    law: Law
    fit: Fit
    comparison: Comparison
    panels: Panels


class OwnComparisonStage(Block):
    """Blocks of ``compare_tables``."""

    fit: Fit
    comparison: Comparison

    def with_tolerance(self, tolerance: float) -> OwnComparisonStage:
        """The same with another tolerance of slopes."""
        changed = self.comparison.model_copy(update={"tolerance": tolerance})
        return self.model_copy(update={"comparison": changed})


class LedgerStage(Block):
    """Blocks of ``compare_choices`` and ``plot_ledger``."""

    probe: Probe
    ledger: LedgerSettings
    fit: Fit
    comparison: Comparison
    panels: Panels
    figures: Figures


class FigureStage(Block):
    """Blocks of ``plot_figure``."""

    panels: Panels
    figures: Figures


class WideFigureStage(Block):
    """Blocks of ``plot_wide``."""

    network: Network
    probe: Probe
    law: Law
    fit: Fit
    panels: Panels
    figures: Figures


class FindingsStage(Block):
    """Blocks of ``write_findings``."""

    law: Law
    exponents: Exponents
    comparison: Comparison


class ExponentsStage(Block):
    """Blocks of ``plot_conditions`` and of the table of orders."""

    network: Network
    probe: Probe
    exponents: Exponents
    fit: Fit
    figures: Figures


class SweepStage(ProbeStage):
    """Blocks of ``sweep_reference``."""

    sweep: Sweep


class EdgesStage(Block):
    """Blocks of ``find_edges`` and ``plot_sweep``."""

    network: Network
    sweep: Sweep
    fit: Fit
    figures: Figures


class ArchitectureStage(Block):
    """Blocks of ``plot_architecture``."""

    network: Network
    figures: Figures


class RunStage(Block):
    """Blocks of ``train_seeds`` and ``audit_archive``: what one run's curve depends on."""

    data: Data
    inputs: Inputs
    network: Network
    protocol: Protocol

    @model_validator(mode="after")
    def _batches(self) -> Self:
        require_a_batch(self.data, self.protocol)
        return self

    def of_task(self, task: str) -> RunStage:
        """The same with no other pair of classes than ``task``. Raises ``ConfigError``."""
        classes = named(self.data.pairs, task, "data.pairs")
        return self.model_copy(update={"data": self.data.model_copy(update={"pairs": {task: classes}})})


class AuditLimits(Block):
    """The part of ``training`` that an audit depends on; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    audit: Audit


class AuditStage(Block):
    """Blocks of ``audit_archive`` besides those of the run."""

    training: AuditLimits


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


def require_a_batch(data: Data, protocol: Protocol) -> None:
    """Raise ``ValueError`` if the training images do not fill a batch."""
    if protocol.batch_size > data.train_images:
        raise ValueError(
            f"protocol.batch_size ({protocol.batch_size}) exceeds data.train_images "
            f"({data.train_images}); lower it"
        )
