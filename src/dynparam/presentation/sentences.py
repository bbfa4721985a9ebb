"""How numbers and names stand in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynparam.presentation import numbers

POINTS = 100
"""A share is so many points."""


def series(values: Sequence[float]) -> str:
    """Numbers with two decimals and their signs, separated by commas."""
    return ", ".join(signed(value) for value in values)


def span(values: Sequence[float]) -> str:
    """The least and the greatest: ``-1.61 to -1.19``."""
    return numbers.span(min(values), max(values), signed, once=False)


def signed(value: float, digits: int = 2) -> str:
    """Fixed decimals with the sign; what rounds to zero has none."""
    return numbers.signed(value, digits, plus_zero=False)


def grouped(count: float) -> str:
    """A whole number, from five digits on in groups of three.

    >>> grouped(3072), grouped(30000)
    ('3072', '30,000')
    """
    return f"{count:,.0f}" if abs(count) >= 10_000 else f"{count:.0f}"


def rounded(value: float, digits: int = 2) -> float:
    """A number with so many significant digits."""
    return float(f"{value:.{digits}g}")


def short(value: float) -> str:
    """A setting with the digits it needs: ``2``, ``0.0625``."""
    return f"{value:g}"


def significant(value: float) -> str:
    """One significant digit: ``2e-05``."""
    return f"{value:.1g}"


def percent(share: float) -> str:
    """A share in percent as prose has it: ``95 %``."""
    return numbers.percent(share).replace("%", " %")


def fraction(value: float) -> str:
    """The fraction that a float stands for: ``-8/5``."""
    return str(numbers.fraction(value))


def words(name: str) -> str:
    """A name of the configuration as words: ``constant ratio``."""
    return name.replace("_", " ")


def joined(parts: Sequence[object], last: str = "and") -> str:
    """A list in a sentence.

    >>> joined(["a", "b", "c"]), joined([1, 2], "or")
    ('a, b, and c', '1 or 2')
    """
    texts = [str(part) for part in parts]
    if len(texts) <= 2:
        return f" {last} ".join(texts)
    return f"{', '.join(texts[:-1])}, {last} {texts[-1]}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "epoch"), counted(4, "family", "families")
    ('1 epoch', '4 families')
    """
    return f"{grouped(count)} {singular if count == 1 else plural or singular + 's'}"


def all_are(rows: Sequence[Mapping[str, object]], verdict: str) -> bool:
    """Whether every row has this verdict, and there is one."""
    return {row["verdict"] for row in rows} == {verdict}


def with_verdict(rows: Sequence[Mapping[str, object]], verdict: str) -> list[Mapping[str, object]]:
    """The rows that have this verdict."""
    return [row for row in rows if row["verdict"] == verdict]


def with_error(row: Mapping[str, Any]) -> str:
    """A row's value with its interval, all as exact as the interval is; accuracies in points.

    >>> with_error({"metric": "test_accuracy best", "value": 0.0123, "ci_low": 0.01, "ci_high": 0.0146})
    '+1.23 [+1.00, +1.46]'
    """
    unit = POINTS if "accuracy" in row["metric"] else 1
    value, low, high = (unit * row[name] for name in ("value", "ci_low", "ci_high"))
    return numbers.to_its_error(value, low, high)


def none_is(rows: Sequence[Mapping[str, object]], verdict: str) -> bool:
    """Whether no row has this verdict."""
    return verdict not in {row["verdict"] for row in rows}


def figure_title(figure: str) -> str:
    """``Fig. 3.4`` for ``fig3_4``."""
    return figure.replace("fig", "Fig. ").replace("_", ".")


def figures(names: Sequence[str]) -> str:
    """Figures in a sentence: those of the thesis by number, others by name.

    >>> figures(["fig3_2", "fig3_3"]), figures(["fig3_2", "own"])
    ('Figs. 3.2 and 3.3', 'Fig. 3.2 and `own`')
    """
    known = [re.fullmatch(r"fig\d+_\d+", name) is not None for name in names]
    if len(names) > 1 and all(known):
        return f"Figs. {joined([figure_title(name).removeprefix('Fig. ') for name in names])}"
    shown = zip(names, known, strict=True)
    return joined([figure_title(name) if thesis else f"`{name}`" for name, thesis in shown])


def in_latex(rule: object) -> str:
    """A rule of widths in LaTeX.

    >>> in_latex("150 n^(1/5)")
    '150 n^{1/5}'
    """
    return re.sub(r"\^\((.+?)\)", r"^{\1}", str(rule))


FILTERS: Mapping[str, Callable[..., object]] = {
    one.__name__: one
    for one in (
        all_are,
        counted,
        figures,
        fraction,
        grouped,
        in_latex,
        joined,
        none_is,
        percent,
        rounded,
        series,
        short,
        signed,
        significant,
        span,
        with_error,
        with_verdict,
        words,
    )
} | {"chance": numbers.chance, "fixed": numbers.fixed}
"""What templates of sentences call them."""
