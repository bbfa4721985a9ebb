"""A run of a model with other tensors in place of its own, which are back in their places afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

Made = Callable[[str, Tensor], Tensor]
"""(name, the model's own tensor) to what stands in for it."""


def for_parameters(model: nn.Module, made: Made) -> dict[str, Tensor]:
    """A stand-in for every parameter, by name; a tied one has several names and one stand-in."""
    return _each_once(_owned(model, "named_parameters"), made)


def for_buffers(model: nn.Module, made: Made) -> dict[str, Tensor]:
    """The same for buffers."""
    return _each_once(_owned(model, "named_buffers"), made)


def run(
    model: nn.Module, stand_ins: Mapping[str, Tensor], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """The model's output with stand-ins in place of its tensors."""
    # torch would tie the names of a module that is registered twice, put every stand-in in its place
    # twice, and then take the first for the model's own.
    return functional_call(model, dict(stand_ins), args, dict(kwargs), tie_weights=False)


def _owned(model: nn.Module, kind: str) -> Iterator[tuple[str, Tensor]]:
    """Every place that holds a tensor: a module that is registered twice has one of each."""
    for module_name, module in model.named_modules():
        for name, tensor in getattr(module, kind)(recurse=False, remove_duplicate=False):
            yield f"{module_name}.{name}".lstrip("."), tensor


def _each_once(places: Iterable[tuple[str, Tensor]], made: Made) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    by_tensor: dict[int, Tensor] = {}
    for name, tensor in places:
        if id(tensor) not in by_tensor:
            by_tensor[id(tensor)] = made(name, tensor)
        found[name] = by_tensor[id(tensor)]
    return found
