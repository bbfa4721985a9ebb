"""Widths as formulas of mathtext, for figures."""

from __future__ import annotations

from dynparam.settings.widths import NarrowWidth


def narrow_width(narrow: NarrowWidth) -> str:
    r"""N_min as a power of n, without dollars.

    Examples:
        >>> print(narrow_width(NarrowWidth(coefficient="1/5", exponent=1)))
        n/5
        >>> print(narrow_width(NarrowWidth(coefficient=6, exponent="1/2")))
        6\,n^{1/2}
    """
    numerator, denominator = narrow.coefficient.as_integer_ratio()
    times = "" if numerator == 1 else rf"{numerator}\,"
    power = "" if narrow.exponent == 1 else f"^{{{narrow.exponent}}}"
    over = "" if denominator == 1 else f"/{denominator}"
    return f"{times}n{power}{over}"
