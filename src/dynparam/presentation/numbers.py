"""How numbers read: signs, decimals, intervals, ranges and fractions."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np

Show = Callable[[float], str]
"""How one number is written."""

MOST_DECIMALS = 5
"""Decimals beyond which numbers are powers of ten."""


def signed(value: float, digits: int = 3, *, plus_zero: bool = True) -> str:
    """Fixed decimals with their sign: ``+0.310``.

    What rounds to zero is +0.000, never -0.000, and has no sign at all without ``plus_zero``.
    """
    text = f"{value:+.{digits}f}"
    if float(text) != 0:
        return text
    return f"+{text[1:]}" if plus_zero else text[1:]


def fixed(value: float, digits: int = 3) -> str:
    """Fixed decimals without a sign for positive numbers: ``0.310``."""
    return f"{value:.{digits}f}"


def scientific(value: float) -> str:
    """Two digits and a power of ten: ``1.2e-09``."""
    return f"{value:.1e}"


def significant(value: float, digits: int = 3, *, pad: bool = True) -> str:
    """Significant digits with their sign, for numbers of very different sizes: ``-0.000123``.

    Zeros at the end are written with ``pad`` only: ``+0.100``, else ``+0.1``.
    """
    if pad:
        return f"{value + 0.0:+#.{digits}g}".rstrip(".")
    return f"{value + 0.0:+.{digits}g}"


def power_of_ten(value: float) -> str:
    """One digit and a power of ten, with the sign: ``+2e-08``."""
    return f"{value:+.0e}"


def fitting(digits: int, *values: float) -> Show:
    """``signed`` with so many decimals, or powers of ten where all ``values`` are too small for them."""
    return power_of_ten if _too_small(digits, *values) else partial(signed, digits=digits)


def with_interval(value: float, low: float, high: float, show: Show = signed) -> str:
    """A number with its interval: ``+0.310 [+0.290, +0.330]``."""
    return f"{show(value)} {bracketed(low, high, show)}"


def bracketed(low: float, high: float, show: Show = signed) -> str:
    """An interval alone: ``[+0.290, +0.330]``."""
    return f"[{show(low)}, {show(high)}]"


def to_its_error(value: float, low: float, high: float) -> str:
    """A number with its interval, all with one digit more than the half-width's first.

    >>> to_its_error(-0.0144401, -0.0157789, -0.0131013)
    '-0.0144 [-0.0158, -0.0131]'
    """
    half = (high - low) / 2
    if not 0 < half < np.inf:
        return with_interval(value, low, high, partial(significant, pad=False))
    last = math.floor(math.log10(half)) - 1
    if last < -MOST_DECIMALS:
        digits = max(0, math.floor(math.log10(max(abs(value), abs(low), abs(high)))) - last)
        return with_interval(value, low, high, lambda number: f"{number:+.{digits}e}")
    return with_interval(value, low, high, lambda number: signed(round(number, -last), max(0, -last)))


def plus_minus(value: float, reach: float, digits: int = 3) -> str:
    """A number with its error or half-width: ``+0.012 ± 0.008``.

    An exact zero is 0; where both are too small for the decimals, they are powers of ten.
    """
    if value == reach == 0:
        return "0"
    if _too_small(digits, value, reach):
        return f"{power_of_ten(value)} ± {reach:.0e}"
    return f"{signed(value, digits)} ± {reach:.{digits}f}"


def span(low: float, high: float, show: Show = signed, *, once: bool = True) -> str:
    """A range: ``-1.61 to -1.19``; with ``once``, one number where both are written alike."""
    ends = [show(low), show(high)]
    return ends[0] if once and ends[0] == ends[1] else " to ".join(ends)


def fraction(value: float) -> Fraction:
    """The fraction with a small denominator that a float stands for, which reads ``-8/5``."""
    return Fraction(value).limit_denominator(1000)


def chance(probability: float) -> str:
    """A probability to two digits: ``0.043``, ``0.00012``, ``3e-09``."""
    return f"{probability:.2g}"


def percent(share: float) -> str:
    """A share in percent, with no more decimals than it needs: ``95%``, ``99.5%``."""
    return f"{100 * share:g}%"


def typographic(text: str) -> str:
    """A number's text with minus signs in place of hyphens, for pictures."""
    return text.replace("-", "\N{MINUS SIGN}")


def _too_small(digits: int, *values: float) -> bool:
    return max(abs(value) for value in values) < float(f"5e-{digits + 1}")
