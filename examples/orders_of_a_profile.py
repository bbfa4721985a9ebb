"""Exact orders for any growth of the widths, and which conditions of the thesis fail.

The hidden widths grow as n, sqrt(n), n: the bottleneck sharpens as the network widens. From the powers
of n alone follows how every layer's preactivations, updates and alignment go with n, without a sample
or a float. Run it with

    python -m examples.orders_of_a_profile
"""

from __future__ import annotations

from fractions import Fraction

from dynparam.theory.conditions import check
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import NAMES

PROFILE = (0, 1, Fraction(1, 2), 1, 0)
"""Exponents of n of the widths n_0 ... n_4: input and output stay as they are."""


def main() -> None:
    """Print exponents of n, one a layer, and a sentence for each failure."""
    print("widths     n^", *PROFILE)
    for name in NAMES:
        found = orders(name, PROFILE)
        print(f"\n{name}")
        for quantity in ("preactivation", "update", "alignment"):
            print(f"  {quantity:13} n^", *getattr(found, quantity))
        for outcome in check(name, PROFILE):
            for sentence in outcome.sentences():
                print(f"  {sentence}")


if __name__ == "__main__":
    main()
