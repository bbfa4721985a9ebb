"""The result of an audit of archived curves, apart from what makes it: readers need no tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dynparam.support.errors import DataError


@dataclass(frozen=True)
class AuditResult:
    """What an audit found.

    Attributes:
        seed: the archived run that was repeated.
        epochs: the epochs repeated, from the initialization on.
        loss_difference: largest relative difference of a loss.
        accuracy_difference: largest difference of an accuracy.
        tolerance: allowed relative difference of a loss.
        accuracy_tolerance: allowed difference of an accuracy.
        device: what repeated it.
    """

    seed: int
    epochs: int
    loss_difference: float
    accuracy_difference: float
    tolerance: float
    accuracy_tolerance: float
    device: str

    @property
    def passed(self) -> bool:
        """Whether the archived curve is reproduced; a NaN is not."""
        return (
            self.loss_difference <= self.tolerance
            and self.accuracy_difference <= self.accuracy_tolerance
        )

    def sentence(self) -> str:
        """The result in words, as figures and tables print it."""
        return (
            f"seed {self.seed} trained again for {_counted(self.epochs)}: losses differ by at most "
            f"{self.loss_difference:.1e} relatively (tolerance {self.tolerance:.0e})"
        )


def read_result(path: Path) -> AuditResult:
    """An audit's result. Raises ``DataError`` if it cannot be read."""
    try:
        return AuditResult(**json.loads(path.read_text(encoding="utf-8"))["audit"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{path}: not an audit's result; delete it and run its rule again") from None


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
