"""Widths of a multilayer perceptron, and the families of widths the thesis varies (Sec. 3.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from dynparam.support.errors import ConfigError
from dynparam.support.numbers import as_whole

Rounding = Literal["nearest", "floor"]

INPUT_WIDTH = 3072
"""n_0: the 3 x 32 x 32 numbers of a CIFAR-10 image."""

OUTPUT_WIDTH = 2
"""n_L: one output per class of a pair."""


@dataclass(frozen=True)
class Widths:
    """The widths n_0 ... n_L of an L-layer network, input and output included (Fig. 2.1).

    Raises ``ConfigError`` for fewer than one layer or a width that is not an integer >= 1.

    Examples:
        >>> widths = Widths((3072, 512, 64, 512, 2))
        >>> widths.depth, widths.hidden, widths.n_min
        (4, (512, 64, 512), 64)
        >>> list(widths.layers())[1]  # (fan_in, fan_out) of layer 2
        (512, 64)
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if len(self.sizes) < 2:
            raise ConfigError(
                f"widths {self.sizes} describe no layer; give at least an input and an output width"
            )
        numbers = [as_whole(size) or 0 for size in self.sizes]
        for layer, (size, number) in enumerate(zip(self.sizes, numbers, strict=True)):
            if number < 1:
                raise ConfigError(
                    f"width n_{layer} is {size!r}; every width must be an integer of at least 1"
                )
        object.__setattr__(self, "sizes", tuple(numbers))

    @property
    def depth(self) -> int:
        """The number L of weight matrices."""
        return len(self.sizes) - 1

    @property
    def hidden(self) -> tuple[int, ...]:
        """n_1 ... n_{L-1}."""
        return self.sizes[1:-1]

    @property
    def n_min(self) -> int:
        """The smallest hidden width, min(n_1 ... n_{L-1}) (Sec. 2.3.2). Needs a hidden layer."""
        if not self.hidden:
            raise ConfigError("n_min needs at least one hidden layer; this network has none")
        return min(self.hidden)

    @property
    def weight_count(self) -> int:
        """The number of weights, sum over layers of n_l n_{l-1}."""
        return sum(fan_in * fan_out for fan_in, fan_out in self.layers())

    def layers(self) -> Iterator[tuple[int, int]]:
        """(fan_in, fan_out) = (n_{l-1}, n_l) of the layers l = 1 ... L."""
        return pairwise(self.sizes)


def bottleneck(
    n: int,
    n_min: int,
    *,
    hidden: Sequence[str] = ("wide", "narrow", "wide", "narrow", "wide"),
    n_in: int = INPUT_WIDTH,
    n_out: int = OUTPUT_WIDTH,
) -> Widths:
    """The thesis's network (Fig. 3.1): hidden layers of width n (wide) and n_min (narrow).

    Raises ``ConfigError`` for a width below 1 or a hidden layer that is neither wide nor narrow.

    Examples:
        >>> bottleneck(100, 10).sizes
        (3072, 100, 10, 100, 10, 100, 2)
        >>> bottleneck(100, 10, hidden=("wide", "narrow"), n_in=64).sizes
        (64, 100, 10, 2)
    """
    sizes = {"wide": n, "narrow": n_min}
    unknown = [share for share in hidden if share not in sizes]
    if unknown:
        raise ConfigError(f"hidden layer {unknown[0]!r} must be 'wide' or 'narrow'")
    return Widths((n_in, *(sizes[share] for share in hidden), n_out))


@dataclass(frozen=True)
class RatioRule:
    """n_min as a power law of the wide width: coefficient * n ** exponent (Secs. 3.1, 3.2).

    Examples:
        >>> rule = RatioRule(coefficient=Fraction(6), exponent=Fraction(1, 2))
        >>> print(rule)
        6 n^(1/2)
        >>> rule.n_min(100), rule.n_min(10_000)
        (60, 600)
    """

    coefficient: Fraction
    exponent: Fraction

    def n_min(self, n: int, rounding: Rounding = "nearest") -> int:
        """The narrow width beside the wide width ``n``, as an integer.

        Raises ``ConfigError`` if it falls below 1 or is not narrower than the wide layers.
        """
        try:
            exact = float(self.coefficient) * math.pow(n, self.exponent)
        except OverflowError:
            exact = math.inf
        if exact == math.inf:
            raise ConfigError(
                f"n_min is larger than any number at n = {n}; lower its coefficient or exponent"
            )
        value = math.floor(exact) if rounding == "floor" else math.floor(exact + 0.5)
        if value < 1:
            raise ConfigError(
                f"n_min = {self} is {value} at n = {n}; widths must be at least 1, so widen n or "
                f"raise the coefficient"
            )
        if value > n:
            raise ConfigError(
                f"n_min = {self} is {value} at n = {n}, wider than the wide layers; widen n or "
                f"lower the coefficient"
            )
        return value

    def __str__(self) -> str:
        if self.exponent == 1:
            return "n" if self.coefficient == 1 else f"{self.coefficient} n"
        return f"{self.coefficient} n^({self.exponent})"


def constant_ratio(fraction: Fraction) -> RatioRule:
    """n_min = fraction * n: the widths keep their ratio as n grows (Sec. 3.1).

    Examples:
        >>> [constant_ratio(Fraction(1, 4)).n_min(n) for n in (100, 1000)]
        [25, 250]
    """
    return RatioRule(Fraction(fraction), Fraction(1))


def dynamic_ratio(coefficient: Fraction | int, exponent: Fraction) -> RatioRule:
    """n_min = coefficient * n ** exponent: the bottleneck sharpens as n grows (Secs. 3.1, 3.2).

    Examples:
        >>> [dynamic_ratio(6, Fraction(1, 2)).n_min(n) for n in (100, 10_000)]
        [60, 600]
    """
    return RatioRule(Fraction(coefficient), Fraction(exponent))


def log_spaced(smallest: int, largest: int, count: int) -> tuple[int, ...]:
    """``count`` integers from smallest to largest, evenly spaced in the logarithm, both ends exact.

    Raises ``ConfigError`` if rounding would make two of them equal.

    Examples:
        >>> log_spaced(100, 10_000, 5)
        (100, 316, 1000, 3162, 10000)
    """
    step = math.log(largest / smallest) / (count - 1)
    grid = [round(smallest * math.exp(step * k)) for k in range(count)]
    grid[0], grid[-1] = smallest, largest
    if len(set(grid)) < count:
        raise ConfigError(
            f"{count} widths between {smallest} and {largest} are not all different; ask for fewer"
        )
    return tuple(grid)
