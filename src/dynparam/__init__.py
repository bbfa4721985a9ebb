"""Reproduce, check and extend a thesis on learning in networks of very different hidden widths.

What is used most is here. Each name is imported when it is first asked for, so that ``import dynparam``
costs nothing and a dry run never pays for torch. The wings of the house are the folders beside this
file; each says what it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynparam.models.apply import apply
    from dynparam.models.coordinate_check import coordinate_check
    from dynparam.models.sharpness import sharpness
    from dynparam.support.errors import DynparamError
    from dynparam.theory.parametrization import layer_scales, learning_rate_form
    from dynparam.theory.widths import Widths

__version__ = "0.2.0"
__all__ = [
    "DynparamError",
    "Widths",
    "__version__",
    "apply",
    "coordinate_check",
    "layer_scales",
    "learning_rate_form",
    "sharpness",
]

_ROOMS = {
    "DynparamError": "support.errors",
    "Widths": "theory.widths",
    "apply": "models.apply",
    "coordinate_check": "models.coordinate_check",
    "layer_scales": "theory.parametrization",
    "learning_rate_form": "theory.parametrization",
    "sharpness": "models.sharpness",
}
"""Where each function of the front door lives."""


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
