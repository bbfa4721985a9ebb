"""What one step of a network records, on either engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from dynparam.engines.network import Step
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.widths import Widths


@dataclass(frozen=True)
class OneStep:
    """What one trial records; entry l - 1 of each tuple belongs to layer l = 1 ... L.

    Attributes:
        alignment: |<dL/dhtilde^l, Delta htilde^l>|, the gradient taken before the step.
        preactivation_rms: root mean square of htilde^l before the step.
        update_rms: root mean square of Delta htilde^l.
        gradient_norm: ||dL/dhtilde^l|| before the step.
        own_rms: root mean square of g_l Delta W^l h^{l-1}, the layer's own part of Delta htilde^l.
        gradient_overlap: |<dL/dhtilde^l before the step, dL/dhtilde^l after it>| on the same image (eq.
            2.58); None where it is not asked for.
    """

    alignment: tuple[float, ...]
    preactivation_rms: tuple[float, ...]
    update_rms: tuple[float, ...]
    gradient_norm: tuple[float, ...]
    own_rms: tuple[float, ...]
    gradient_overlap: tuple[float, ...] | None = None

    def measured(self) -> dict[str, tuple[float, ...]]:
        """The quantities that were asked for, by name."""
        recorded = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: values for name, values in recorded if values is not None}

    def checked(self) -> OneStep:
        """Itself. Raises ``NonFiniteError`` naming the first layer with a value that is not finite."""
        for quantity, values in self.measured().items():
            for layer, value in enumerate(values, start=1):
                if not math.isfinite(value):
                    raise NonFiniteError(
                        f"{quantity} of layer {layer} is {value}; lower the learning rate or check "
                        f"the input"
                    )
        return self


def quantities(twice: bool) -> list[str]:
    """The names of what a trial records; ``twice``: with the gradients after the step."""
    return [one.name for one in fields(OneStep) if twice or one.name != "gradient_overlap"]


def record(step: Step, second_gradient: Sequence[Tensor] | None = None) -> OneStep:
    """The recorded quantities of a step, and of the gradients after it if they are given.

    Sums are in double precision. Raises ``NonFiniteError`` naming the first layer with a value that is
    not finite.
    """
    return OneStep(
        alignment=_overlaps(step.gradient, step.update),
        preactivation_rms=tuple(_rms(vector) for vector in step.preactivation),
        update_rms=tuple(_rms(vector) for vector in step.update),
        gradient_norm=tuple(vector.double().norm().item() for vector in step.gradient),
        own_rms=tuple(_rms(vector) for vector in step.own),
        gradient_overlap=(
            None if second_gradient is None else _overlaps(step.gradient, second_gradient)
        ),
    ).checked()


def check_trial(widths: Widths, x: Tensor, y: Tensor) -> None:
    """Raise ``ConfigError`` if x (n_0,) or y (n_L,) does not fit the widths, or if x is zero."""
    for name, vector, size in (("x", x, widths.sizes[0]), ("y", y, widths.sizes[-1])):
        if vector.shape != (size,):
            raise ConfigError(f"{name} has the shape {tuple(vector.shape)}; these widths need ({size},)")
    if not x.any():
        raise ConfigError(
            "the image x is zero everywhere, so that no weight gets a gradient; check its normalization "
            "or choose another image"
        )


def _overlaps(first: Sequence[Tensor], second: Sequence[Tensor]) -> tuple[float, ...]:
    """|<a, b>| of every layer."""
    return tuple(
        abs(torch.dot(a.double(), b.double()).item()) for a, b in zip(first, second, strict=True)
    )


def _rms(vector: Tensor) -> float:
    return vector.double().square().mean().sqrt().item()
