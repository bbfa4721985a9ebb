"""Fractions for hypothesis, chosen from a list: to make each anew costs it a hundred times as much."""

from fractions import Fraction

from hypothesis import strategies as st


def fractions(
    low: Fraction | int, high: Fraction | int, max_denominator: int
) -> st.SearchStrategy[Fraction]:
    """The values of ``hypothesis.strategies.fractions``, each as likely as another, small ones first.

    >>> fractions(0, 1, max_denominator=3)
    sampled_from([Fraction(0, 1), Fraction(1, 1), Fraction(1, 2), Fraction(1, 3), Fraction(2, 3)])
    """
    found = [
        Fraction(numerator, denominator)
        for denominator in range(1, max_denominator + 1)
        for numerator in range(int(low * denominator), int(high * denominator) + 1)
    ]
    return st.sampled_from([value for value in dict.fromkeys(found) if low <= value <= high])
