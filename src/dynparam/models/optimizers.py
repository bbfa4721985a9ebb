"""Which of torch's optimizers take which groups of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import Optimizer

KINDS: Mapping[Optimizer, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}
"""The optimizer of each name."""

TOLD: Mapping[Optimizer, str] = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}

BY_SIGN = (torch.optim.Adam, torch.optim.AdamW, torch.optim.Adamax, torch.optim.NAdam)
"""Optimizers whose step has the size of the learning rate, whatever that of the gradient."""

BY_GRADIENT = (torch.optim.SGD,)

SIGN_OPTIONS = frozenset({"betas"})
"""Options that every one of ``BY_SIGN`` has, and SGD has not."""

GRADIENT_OPTIONS = frozenset({"dampening"})
"""Options that SGD has, and no other."""

OTHER_OPTIONS = frozenset({"rho", "lr_decay", "etas", "alpha", "max_iter", "beta2_decay", "ns_steps"})
"""Options of optimizers that no rule is known for."""


def rule_of(kind: type[torch.optim.Optimizer]) -> Optimizer | None:
    """The name whose rates an optimizer takes; ``None`` where no rule is known."""
    if issubclass(kind, BY_GRADIENT):
        return "sgd"
    return "adam" if issubclass(kind, BY_SIGN) else None


class ParameterGroup(dict[str, Any]):
    """A group of parameters that refuses an optimizer its learning rate is not for.

    torch fills a group up with an optimizer's defaults as it takes it; their names tell which it is.
    """

    rule: Optimizer = "sgd"

    @classmethod
    def of(
        cls, rule: Optimizer, tensor: Tensor, name: str, rate: float, eps: float | None
    ) -> ParameterGroup:
        """The group of one parameter."""
        group = cls(params=[tensor], lr=rate, name=name)
        if eps is not None:
            group["eps"] = eps
        group.rule = rule
        return group

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As of a dictionary. Raises ``ConfigError`` for an option of an optimizer of another kind."""
        refused = SIGN_OPTIONS if self.rule == "sgd" else GRADIENT_OPTIONS
        if key in refused | OTHER_OPTIONS:
            other = "adam" if self.rule == "sgd" else "sgd"
            remedy = f'; call apply with optimizer="{other}" for it' if key in refused else ""
            raise ConfigError(
                f"these learning rates are for {TOLD[self.rule]}, and the optimizer has {key!r}{remedy}"
            )
        return super().setdefault(key, default)
