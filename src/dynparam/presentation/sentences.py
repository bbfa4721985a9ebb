"""How numbers stand in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dynparam.presentation import numbers


def series(values: Sequence[float]) -> str:
    """Numbers with two decimals and their signs, separated by commas."""
    return ", ".join(signed(value) for value in values)


def span(values: Sequence[float]) -> str:
    """The least and the greatest: ``-1.61 to -1.19``."""
    return numbers.span(min(values), max(values), signed, once=False)


def signed(value: float, digits: int = 2) -> str:
    """Fixed decimals with the sign; what rounds to zero has none."""
    return numbers.signed(value, digits, plus_zero=False)


FILTERS: Mapping[str, Callable[..., str]] = {"series": series, "span": span, "signed": signed}
"""What templates of sentences call them."""
