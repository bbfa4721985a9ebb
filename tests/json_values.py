"""JSON with one of its values replaced by another: every field in turn, every kind of value."""

import copy
import math
from collections.abc import Iterator
from typing import Any


def _deep() -> list[Any]:
    values: list[Any] = []
    for _ in range(500):
        values = [values]
    return values


ODD: list[Any] = [
    None, True, False, 0, 1, -1, 3, 10**400, -(10**30), 0.5, -0.5, 1e308, math.nan, math.inf, -math.inf,
    "", "3", "nan", "\ud800", "x" * 10_000, [], [1], [[1.0]], {}, {"a": 1}, _deep(),
]  # fmt: skip


def replaced(values: Any) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """Where, what is there now, and the whole: for every place in ``values`` and every odd value."""
    for place in _places(values):
        for odd in ODD:
            yield place, odd, _put(values, place, odd)


def lacking(values: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Where, and the whole: for every entry left out, and a field added to every object."""
    for place in _places(values):
        if place:
            less = copy.deepcopy(values)
            del _at(less, place[:-1])[place[-1]]
            yield place, less
        if isinstance(_at(values, place), dict):
            more = copy.deepcopy(values)
            _at(more, place)["more"] = 1
            yield (*place, "more"), more


def _places(values: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    if isinstance(values, dict | list):
        for key in values if isinstance(values, dict) else range(len(values)):
            yield from _places(values[key], (*place, key))


def _at(values: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        values = values[key]
    return values


def _put(values: Any, place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return value
    whole = copy.deepcopy(values)
    _at(whole, place[:-1])[place[-1]] = value
    return whole
