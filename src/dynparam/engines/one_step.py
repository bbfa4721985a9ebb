"""What one step of a network records, on either engine."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
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
    """

    alignment: tuple[float, ...]
    preactivation_rms: tuple[float, ...]
    update_rms: tuple[float, ...]
    gradient_norm: tuple[float, ...]

    def checked(self) -> OneStep:
        """Itself. Raises ``NonFiniteError`` naming the first layer with a value that is not finite."""
        for quantity, values in asdict(self).items():
            for layer, value in enumerate(values, start=1):
                if not np.isfinite(value):
                    raise NonFiniteError(
                        f"{quantity} of layer {layer} is {value}; lower the learning rate or check "
                        f"the input"
                    )
        return self


def record(step: Step) -> OneStep:
    """The recorded quantities of a step, summed in double precision.

    Raises ``NonFiniteError`` naming the first layer with a value that is not finite.
    """
    return OneStep(
        alignment=tuple(
            abs(torch.dot(gradient.double(), update.double()).item())
            for gradient, update in zip(step.gradient, step.update, strict=True)
        ),
        preactivation_rms=tuple(_rms(vector) for vector in step.preactivation),
        update_rms=tuple(_rms(vector) for vector in step.update),
        gradient_norm=tuple(vector.double().norm().item() for vector in step.gradient),
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


def _rms(vector: Tensor) -> float:
    return vector.double().square().mean().sqrt().item()
