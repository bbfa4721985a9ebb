"""The bound on the size of updates as exponents: where the second term of eq. 2.55 takes over.

Let all hidden layers' own parts of their updates be of one size u (eqs. 2.68-2.71). From the second
step on, what is learned in W^{l+1} carries back to layer l, relative to what its initial value does
(eqs. 2.56 and 2.57),

    u ||h^l|| / n_l = Theta(u / sqrt(n_l)),

if the cosine of the two steps' gradients is Theta(1), and at most that otherwise. With u = m^r for a
reference width m the narrowest hidden layer reaches Theta(1) first, at u = sqrt(n_min): r = 1/2 for
m = n_min, and a smaller r for any m that grows faster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from dynparam.theory.orders import Orders
from dynparam.theory.widths import Widths


def reference_width(reference: Reference, widths: Widths) -> float:
    """The width m: the smallest, the geometric mean, or the largest of the hidden widths.

    Examples:
        >>> widths = Widths((64, 4, 16, 2))
        >>> reference_width("n_min", widths), reference_width("n_max", widths)
        (4.0, 16.0)
        >>> round(reference_width("geometric_mean", widths), 9)
        8.0
    """
    if reference == "n_min":
        return float(widths.n_min)
    if reference == "n_max":
        return float(max(widths.hidden))
    return math.exp(sum(math.log(size) for size in widths.hidden) / len(widths.hidden))


def reference_exponent(reference: Reference, hidden: Sequence[Fraction]) -> Fraction:
    """The exponent of m when the hidden widths grow as n to the exponents ``hidden``.

    Examples:
        >>> reference_exponent("geometric_mean", (Fraction(1), Fraction(1, 2)))
        Fraction(3, 4)
    """
    if reference == "n_min":
        return min(hidden)
    if reference == "n_max":
        return max(hidden)
    return sum(hidden, Fraction(0)) / len(hidden)


def drift_exponents(update: Fraction, hidden: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Of the second term of eq. 2.55 over the first, layers 1 ... L-1, for u = Theta(n^update).

    Examples:
        >>> drift_exponents(Fraction(1, 4), (Fraction(1), Fraction(1, 2)))  # the narrow layer's is 0
        (Fraction(-1, 4), Fraction(0, 1))
    """
    return tuple(update - width / 2 for width in hidden)


def expected_edge(reference: Reference, hidden: Sequence[Fraction]) -> Fraction:
    """The r at which m^r = Theta(sqrt(n_min)): no layer's drift grows below it (eq. 2.63).

    Examples:
        >>> hidden = (Fraction(1), Fraction(1, 2))  # widths n and sqrt(n)
        >>> expected_edge("n_min", hidden), expected_edge("n_max", hidden)
        (Fraction(1, 2), Fraction(1, 4))
    """
    return min(hidden) / 2 / reference_exponent(reference, hidden)


def overlap_exponents(sizes: Orders, widths: Sequence[Fraction | int]) -> tuple[Fraction, ...]:
    """Of |<delta_1, delta_2>| / ||delta_1||^2, layers 1 ... L, on one image before and after a step.

    Eq. 2.58 assumes them to be zero or less. ``widths`` are the exponents of n_0 ... n_L, ``sizes``
    those of the first step (``theory.orders.orders``). At the output the error f - y falls by Delta f,
    which is too much where A_L outgrows ||delta^L||^2. Below, W_0 carries the ratio on, and what layer
    l + 1 has learned adds -eta g_{l+1}^2 <h^l, delta^l> <delta^{l+1}_1, delta^{l+1}_2>, where
    <h^l, delta^l> = <f, f - y> in every layer. Both terms are of first order in the learning rate.

    Examples:
        >>> from dynparam.theory.orders import orders
        >>> bottleneck = (0, 1, Fraction(1, 2), 1, 0)
        >>> print(*overlap_exponents(orders("dynamic", bottleneck), bottleneck))
        0 0 0 0
        >>> print(*overlap_exponents(orders("standard", bottleneck), bottleneck))  # steps overshoot
        1 1 1 1
    """
    last = sizes.gradient[-1]
    outputs = sizes.preactivation[-1] + Fraction(widths[-1]) / 2
    found = [max(Fraction(0), sizes.alignment[-1] - 2 * last)]
    for layer in range(len(widths) - 2, 0, -1):
        learned = outputs + last - widths[layer] - 2 * sizes.deviation[layer]
        found.insert(0, found[0] + max(Fraction(0), learned))
    return tuple(found)


Reference = Literal["n_min", "geometric_mean", "n_max"]
