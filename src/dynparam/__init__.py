"""Reproduce, check and extend a thesis on learning in networks of very different hidden widths.

The modules are the rooms of the house. ``apply`` is for one's own models. It is imported when it is
first asked for, so that ``import dynparam`` costs nothing and a dry run never pays for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynparam.coordinates import coordinate_check
    from dynparam.own_model import apply

__version__ = "0.1.0"
__all__ = ["__version__", "apply", "coordinate_check"]

_ROOMS = {"apply": "own_model", "coordinate_check": "coordinates"}
"""Where each function of the front door lives; a module must not have the name of its function."""


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
