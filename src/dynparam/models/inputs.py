"""What a model is called with: tensors in nested containers, copied before a model may change them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

Change = Callable[[Tensor], Tensor]


def arguments(sample_input: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments, as copies: a model may work in place.

    A mapping has keyword arguments; a tuple, a named one too, has positional ones; anything else is the
    only argument.
    """
    if isinstance(sample_input, Mapping):
        return (), {str(key): copied(value) for key, value in sample_input.items()}
    args = sample_input if isinstance(sample_input, tuple) else (sample_input,)
    return tuple(copied(value) for value in args), {}


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists, mappings and data classes."""
    if isinstance(value, Tensor):
        yield value
    for item in _items(value):
        yield from tensors(item)


def mapped(value: Any, change: Change) -> Any:
    """The same containers around changed tensors; what is neither is returned as it is."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return _mapping_like(value, {key: mapped(item, change) for key, item in value.items()})
    if isinstance(value, list | tuple):
        items = [mapped(item, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if _is_data(value):
        fields = {name: mapped(item, change) for name, item in _fields(value).items()}
        return _with_fields(value, fields)
    return value


def copied(value: Any) -> Any:
    """A copy of everything: of tensors without their history, of other objects as ``copy`` makes it."""
    found = mapped(value, lambda tensor: tensor.detach().clone())
    memo = {id(tensor): tensor for tensor in tensors(found)}
    try:
        return copy.deepcopy(found, memo)
    except Exception:  # what cannot be copied is the model's own affair
        return found


def doubled(tensor: Tensor) -> Tensor:
    """A copy without history, in float64 if it is of floating point."""
    copy_of = tensor.detach().clone()
    return copy_of.double() if copy_of.is_floating_point() else copy_of


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
    elif _is_data(value):
        yield from _fields(value).values()


def _mapping_like(value: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """A mapping of the same kind, where that takes new items; else a dictionary."""
    try:
        found: Any = copy.copy(value)
        for key, item in items.items():
            found[key] = item
    except TypeError:
        return items
    return found


def _is_data(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _with_fields(value: Any, fields: Mapping[str, Any]) -> Any:
    """A shallow copy with other fields, frozen or not, made without calling its constructor."""
    found = copy.copy(value)
    for name, item in fields.items():
        object.__setattr__(found, name, item)
    return found
